// How ranks reach each other's devices: NCCL, through the CUDA library.
#pragma once

#include "worker/device/device.h"
#include "worker/dist/device_link.h"

namespace tradewind::device {

// Nothing on the CPU. device.cuda must stay loaded as long as the communicator lives, which it does.
dist::DeviceLink link_of(const Device& device);

}  // namespace tradewind::device
