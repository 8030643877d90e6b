// Memory that the ranks of one host share with a client. It has no name: it is gone with the last process that has it,
// however that ends. Nobody can make it shorter or longer. Movable; the bytes themselves are not synchronised.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "common/files/descriptor.h"

namespace tradewind::service {

class SharedBlock {
 public:
  SharedBlock() = default;
  // New, of zeros. EnvironmentFault when there is no such memory.
  explicit SharedBlock(std::size_t bytes);
  // That which `owner`, a process of this user on this host, has at `descriptor`. EnvironmentFault when it has none.
  SharedBlock(pid_t owner, int descriptor, std::size_t bytes);
  SharedBlock(SharedBlock&& other) noexcept;
  SharedBlock& operator=(SharedBlock&& other) noexcept;
  ~SharedBlock();

  int descriptor() const { return descriptor_.get(); }
  std::size_t bytes() const { return bytes_; }
  float* floats(std::size_t offset) const { return reinterpret_cast<float*>(begin_ + offset); }

 private:
  void map();
  Descriptor descriptor_;
  std::size_t bytes_ = 0;
  std::byte* begin_ = nullptr;
};

}  // namespace tradewind::service
