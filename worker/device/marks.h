// How far a device has come, written by the device itself into the telemetry page: its stream writes marks as it comes
// to them, so that a kernel that does not end shows, whatever the host does.
#pragma once

#include <functional>
#include <string>

#include "proto/telemetry.h"
#include "worker/device/device.h"

namespace tradewind::device {

// What queues a mark that is written to page.device_progress. Empty on the CPU, and where the device cannot write to
// the page: `warn` says why, the run goes on. The page must stay mapped as long as the device works. Calls from the
// thread that has opened the device.
std::function<void(std::uint64_t mark)> marks_of(const Device& device, proto::TelemetryPage& page,
                                                 const std::function<void(const std::string&)>& warn);

}  // namespace tradewind::device
