#include "worker/device/device.h"

#include "common/errors.h"
#include "worker/device/cuda_library.h"
#include "worker/device/visible.h"

namespace tradewind::device {

namespace {

const cuda::Functions& library() {
  const std::string path = cuda_library_path();
  if (path.empty()) {
    throw UserError("this build has no CUDA library (worker_cuda.so)", "device",
                    "build it where a CUDA toolkit is (nvcc), or set device: cpu");
  }
  return load_cuda_library(path);
}

}  // namespace

std::optional<std::int64_t> Device::peak_bytes() const {
  if (cuda == nullptr) return std::nullopt;
  cuda::DeviceMemory memory{};
  check_cuda(cuda->memory(where.index(), &memory), name());
  return memory.peak_bytes;
}

Device open_device(const std::optional<std::string>& wanted, int local_rank,
                   const std::function<void(const std::string&)>& warn) {
  if (wanted == "cpu") return {};
  const std::optional<int> index = choose_device(wanted, visible_devices(), local_rank);
  if (!index) return {};
  Device device;
  try {
    device.cuda = &library();
  } catch (const Error& error) {
    if (wanted) throw;
    warn("a CUDA device is visible, but this rank computes on the CPU: " + std::string(error.what()));
    return {};
  }
  device.where = c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
  cuda::DeviceFacts facts{};
  check_cuda(device.cuda->open(*index), device.name());
  check_cuda(device.cuda->facts(*index, &facts), device.name());
  device.model = facts.name;
  device.identity = facts.uuid;
  return device;
}

}  // namespace tradewind::device
