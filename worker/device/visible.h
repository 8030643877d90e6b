// Which CUDA devices this process may use, and which of them it takes. Known from the driver alone, before any of
// CUDA's large libraries is loaded. Pure but for visible_devices(); thread-safe.
#pragma once

#include <optional>
#include <string>

namespace tradewind::device {

struct Visible {
  int devices = 0;
  std::string reason;  // why there are none
};
// Asks libcuda.so.1, which minds CUDA_VISIBLE_DEVICES.
Visible visible_devices();

// The index of the device to take; nullopt: the CPU. wanted: cpu, cuda, cuda:N, or nothing, which takes a CUDA device
// when one is visible. Without an N a rank takes the device of its local rank; where one device is visible, as when a
// scheduler binds each rank to its own, that one. With an N all ranks of a host share device N.
// Throws UserError when it is not there, and when a host has more ranks than devices.
std::optional<int> choose_device(const std::optional<std::string>& wanted, const Visible& visible, int local_rank);

}  // namespace tradewind::device
