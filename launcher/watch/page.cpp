#include "launcher/watch/page.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "common/errors.h"

namespace tradewind::launcher {
namespace {

[[noreturn]] void fault(const char* what) {
  throw EnvironmentFault(std::string(what) + ": " + std::strerror(errno), "telemetry page of a worker",
                         "look at the limits of this session: ulimit -a");
}

}  // namespace

Page::Page() : descriptor_(::memfd_create("tradewind-telemetry", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!descriptor_.valid() || ::ftruncate(descriptor_.get(), sizeof(proto::TelemetryMemory)) != 0)
    fault("cannot make shared memory");
  // A page that shrank would end its reader by SIGBUS.
  if (::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fault("cannot seal shared memory");
  void* mapped =
      ::mmap(nullptr, sizeof(proto::TelemetryMemory), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
  if (mapped == MAP_FAILED) fault("cannot map shared memory");
  memory_ = static_cast<proto::TelemetryMemory*>(mapped);
}

Page::Page(Page&& other) noexcept
    : descriptor_(std::move(other.descriptor_)), memory_(std::exchange(other.memory_, nullptr)) {}

Page::~Page() {
  if (memory_ != nullptr) ::munmap(memory_, sizeof(proto::TelemetryMemory));
}

proto::Telemetry Page::read() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return proto::read_page(memory_->page, now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

bool Page::ask_record() {
  auto& record = memory_->record;
  if (record.served == 0) return false;
  ++record.asked;
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&record.asked), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  return true;
}

std::optional<std::string> Page::record() const {
  const auto& record = memory_->record;
  if (record.told != record.asked) return std::nullopt;
  return std::string(record.text.data(), std::min<std::size_t>(record.bytes, record.text.size()));
}

}  // namespace tradewind::launcher
