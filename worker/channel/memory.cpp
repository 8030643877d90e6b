#include "worker/channel/memory.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <string_view>

// Of MKL, where it is linked: what its products have packed operands into, kept for the next ones.
extern "C" [[gnu::weak]] void mkl_serv_free_buffers();

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

// By default the C library raises the size above which blocks are mapped, up to 32 MiB, as soon as one is freed:
// tensors then live on the heap, and a small block behind them keeps their memory.
void give_back_large_blocks() {
  constexpr int mapped_from = 1 << 20, kept_at_the_top = 1 << 18, arenas = 2;
  ::mallopt(M_MMAP_THRESHOLD, mapped_from);
  ::mallopt(M_TRIM_THRESHOLD, kept_at_the_top);
  ::mallopt(M_ARENA_MAX, arenas);
}

void give_back_small_blocks() {
  if (mkl_serv_free_buffers != nullptr) mkl_serv_free_buffers();
  ::malloc_trim(0);
}

void MemoryWatch::begin(const std::string& phase) {
  if (phase_.empty()) idle_ = anonymous_bytes();
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
