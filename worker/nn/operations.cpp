#include "worker/nn/operations.h"

#include <atomic>

namespace tradewind::nn {
namespace {

std::atomic<int> device_path_depth{0};

}  // namespace

DevicePathOnCpu::DevicePathOnCpu() { ++device_path_depth; }
DevicePathOnCpu::~DevicePathOnCpu() { --device_path_depth; }

bool on_cpu_kernels(const at::Tensor& x) {
  return x.is_cpu() && device_path_depth.load(std::memory_order_relaxed) == 0;
}

const Operations& operations(const at::Tensor& x) { return on_cpu_kernels(x) ? cpu_operations() : device_operations(); }

}  // namespace tradewind::nn
