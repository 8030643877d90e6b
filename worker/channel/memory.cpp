#include "worker/channel/memory.h"

#include <algorithm>
#include <fstream>
#include <string_view>

namespace tradewind::channel {
namespace {

std::int64_t status_bytes(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoll(line.substr(key.size())) * 1024;
  return 0;
}

}  // namespace

// VmHWM, not ru_maxrss: the latter keeps the launcher's peak across exec.
std::int64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }
std::int64_t anonymous_bytes() { return status_bytes("RssAnon:"); }

void MemoryWatch::begin(const std::string& phase) {
  sample();
  phase_ = phase;
}

void MemoryWatch::sample() {
  if (phase_.empty()) return;
  const std::int64_t own = std::max<std::int64_t>(0, anonymous_bytes() - idle_);
  own_[phase_] = std::max(own, own_.value(phase_, std::int64_t{0}));
}

nlohmann::ordered_json MemoryWatch::result() const {
  std::int64_t peak = 0;
  for (const auto& [phase, bytes] : own_.items()) peak = std::max(peak, bytes.get<std::int64_t>());
  return {{"idle_bytes", idle_}, {"own_bytes", own_}, {"own_peak_bytes", peak}};
}

}  // namespace tradewind::channel
