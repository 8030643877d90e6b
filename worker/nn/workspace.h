// What the layers of a model share in a call: the operations of their device, and scratch tensors that all of them
// reuse, so that pages are touched once and never given back.
// Each purpose has its own memory; a tensor taken is valid until the same purpose is taken again. Inside a parallel
// region of ATen each of its threads has memory of its own, as far as reserve_threads went before; otherwise not
// thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "common/checkpoint/scratch_purposes.h"

namespace tradewind::nn {

class Operations;
const Operations& cpu_operations();

class Workspace : public checkpoint::ScratchPurposes {
 public:
  // On the CPU, with operations that outlive it.
  explicit Workspace(const Operations& operations = cpu_operations()) : operations_(&operations) {}
  // Gives up its memory; what is taken from now on is on that device, whose operations are these.
  void move_to(at::Device device, const Operations& operations);
  const Operations& operations() const { return *operations_; }
  at::Device device() const { return device_; }
  // Memory for so many threads of a parallel region; to be called outside of one.
  void reserve_threads(int threads);
  // Contiguous (rows, columns), undefined content, of the calling thread.
  at::Tensor take(Purpose purpose, std::int64_t rows, std::int64_t columns, at::ScalarType type = at::kFloat);

 private:
  const Operations* operations_;
  at::Device device_{at::kCPU};
  std::vector<std::array<at::Tensor, count_>> memory_ = std::vector<std::array<at::Tensor, count_>>(1);  // by thread
};

// Rows of a chunk such that (rows, columns) float32 stays within a few MiB: near the caches, and big enough for the
// matrix products; off the CPU within many, since each operation on a chunk is a launch. limit: at most this many.
std::int64_t chunk_rows(std::int64_t columns, std::int64_t limit, at::Device device = at::kCPU);

}  // namespace tradewind::nn
