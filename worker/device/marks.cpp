#include "worker/device/marks.h"

#include <cstddef>

namespace tradewind::device {

std::function<void(std::uint64_t mark)> marks_of(const Device& device, proto::TelemetryPage& page,
                                                 const std::function<void(const std::string&)>& warn) {
  if (device.cuda == nullptr) return {};
  void* seen = nullptr;
  if (const char* error = device.cuda->share(&page, proto::telemetry_page_bytes, &seen)) {
    warn("the hang watch does not see how far " + device.name() + " has come: CUDA: " + error);
    return {};
  }
  constexpr std::size_t offset = offsetof(proto::TelemetryPage, device_progress);
  auto* word = reinterpret_cast<std::uint64_t*>(static_cast<std::byte*>(seen) + offset);
  // A queue that takes nothing any more is told of by the operation that comes next.
  return [cuda = device.cuda, word](std::uint64_t mark) { cuda->mark(word, mark); };
}

}  // namespace tradewind::device
