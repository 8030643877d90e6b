// The device a rank computes on. A plain value; what it refers to lives as long as the process.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "worker/cuda/functions.h"

namespace tradewind::device {

struct Device {
  c10::Device where{c10::kCPU};
  const cuda::Functions* cuda = nullptr;  // null on the CPU
  std::string model;                      // of the device, as its driver calls it
  std::string identity;                   // equal for two ranks that share the device; empty on the CPU

  std::string name() const { return where.str(); }
  // Most bytes that tensors held on it at one time; nullopt on the CPU.
  std::optional<std::int64_t> peak_bytes() const;
};

// Opens the device that the configuration's `device` names; see choose_device. Where it names none and a CUDA device is
// visible but cannot be used by this build, `warn` says why and the CPU is taken.
// Throws UserError for a device that is not there, EnvironmentFault for one that does not work.
Device open_device(const std::optional<std::string>& wanted, int local_rank,
                   const std::function<void(const std::string&)>& warn);

}  // namespace tradewind::device
