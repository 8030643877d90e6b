// Brings what a model computed to the host while the device goes on: through pinned memory, on a stream of its own. On
// the CPU it is the values themselves, which must stay as they are until then. A copy may be waited for once. Not
// thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace tradewind::forecast {

class HostCopy {
 public:
  // Starts copying `values` as the current stream leaves them; they may be changed afterwards by work that is queued
  // later.
  explicit HostCopy(const at::Tensor& values);
  HostCopy(HostCopy&&) noexcept;
  HostCopy& operator=(HostCopy&&) noexcept;
  ~HostCopy();
  // Returns when the copy is whole: contiguous, on the CPU.
  at::Tensor wait();

 private:
  struct Flight;
  at::Tensor host_;
  std::unique_ptr<Flight> flight_;  // null on the CPU
};

}  // namespace tradewind::forecast
