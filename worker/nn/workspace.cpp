#include "worker/nn/workspace.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "common/checkpoint/layer_limits.h"

namespace tradewind::nn {

void Workspace::move_to(at::Device device, const Operations& operations) {
  for (auto& memory : memory_) memory = {};
  device_ = device;
  operations_ = &operations;
}

void Workspace::reserve_threads(int threads) {
  if (memory_.size() < static_cast<std::size_t>(threads)) memory_.resize(static_cast<std::size_t>(threads));
}

at::Tensor Workspace::take(Purpose purpose, std::int64_t rows, std::int64_t columns, at::ScalarType type) {
  at::Tensor& memory = memory_.at(static_cast<std::size_t>(at::get_thread_num()))[purpose];
  const auto bytes = rows * columns * static_cast<std::int64_t>(at::elementSize(type));
  if (!memory.defined() || memory.numel() < bytes) {
    memory.reset();  // the old memory goes before the new comes
    memory = at::empty({bytes}, at::TensorOptions(device_).dtype(at::kByte));
  }
  return memory.narrow(0, 0, bytes).view(type).view({rows, columns});
}

std::int64_t chunk_rows(std::int64_t columns, std::int64_t limit, at::Device device) {
  namespace limits = checkpoint::limits;
  return device.is_cpu() ? limits::chunk_rows(columns, limit) : limits::device_chunk_rows(columns, limit);
}

}  // namespace tradewind::nn
