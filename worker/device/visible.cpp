#include "worker/device/visible.h"

#include <dlfcn.h>

#include "common/device_name.h"
#include "common/errors.h"

namespace tradewind::device {

Visible visible_devices() {
  void* driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);  // never closed: CUDA would not come back
  if (driver == nullptr) return {0, "no NVIDIA driver (libcuda.so.1) on this host"};
  const auto init = reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<int (*)(int*)>(::dlsym(driver, "cuDeviceGetCount"));
  if (init == nullptr || count == nullptr) return {0, "libcuda.so.1 is no NVIDIA driver"};
  constexpr int no_device = 100;  // CUDA_ERROR_NO_DEVICE
  int devices = 0;
  int error = init(0);
  if (error == 0) error = count(&devices);
  if (error == no_device || (error == 0 && devices == 0)) return {0, "the NVIDIA driver shows no device"};
  if (error != 0) return {0, "the NVIDIA driver does not start (CUDA error " + std::to_string(error) + ")"};
  return {devices, {}};
}

std::optional<int> choose_device(const std::optional<std::string>& wanted, const Visible& visible, int local_rank) {
  const DeviceName name = wanted ? device_name_of(*wanted).value_or(DeviceName{}) : DeviceName{.cuda = true};
  if (!name.cuda || (!wanted && visible.devices == 0)) return std::nullopt;
  if (visible.devices == 0) {
    throw UserError("device '" + *wanted + "' is not there: " + visible.reason, "device",
                    "set device: cpu, or see what nvidia-smi and CUDA_VISIBLE_DEVICES say on this host");
  }
  const std::string there = std::to_string(visible.devices) + " CUDA device" + (visible.devices == 1 ? "" : "s");
  if (name.index) {
    if (*name.index < visible.devices) return *name.index;
    throw UserError("device '" + *wanted + "' is not there: this process sees " + there, "device",
                    "count from 0, and see CUDA_VISIBLE_DEVICES");
  }
  if (visible.devices == 1) return 0;
  if (local_rank < visible.devices) return local_rank;
  throw UserError(
      "rank " + std::to_string(local_rank) + " of this host (counted from 0) has no device: this process sees " + there,
      "device",
      "use at most " + std::to_string(visible.devices) +
          " ranks on a host, set device: cuda:N to share one device, or device: cpu");
}

}  // namespace tradewind::device
