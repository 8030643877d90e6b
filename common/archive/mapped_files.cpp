#include "common/archive/mapped_files.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace tradewind::archive {
namespace {

struct Slot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<const char*> path{nullptr};
};
constexpr std::size_t most_files = 32;
std::array<Slot, most_files> slots;

std::uintptr_t address_of(std::span<const std::byte> bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); }

}  // namespace

void file_is_mapped(std::span<const std::byte> bytes, const char* path) {
  for (Slot& slot : slots) {
    std::uintptr_t free = 0;
    if (!slot.begin.compare_exchange_strong(free, address_of(bytes))) continue;
    slot.path.store(path);
    slot.end.store(address_of(bytes) + bytes.size());
    return;
  }
}

void file_is_gone(std::span<const std::byte> bytes) {
  for (Slot& slot : slots) {
    if (slot.begin.load() != address_of(bytes)) continue;
    slot.end.store(0);
    slot.path.store(nullptr);
    slot.begin.store(0);
    return;
  }
}

const char* mapped_file_at(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load();
    if (begin != 0 && at >= begin && at < slot.end.load()) return slot.path.load();
  }
  return nullptr;
}

}  // namespace tradewind::archive
