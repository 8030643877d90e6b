#include "launcher/watch/page.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
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
  if (!descriptor_.valid() || ::ftruncate(descriptor_.get(), proto::telemetry_page_bytes) != 0)
    fault("cannot make shared memory");
  // A page that shrank would end its reader by SIGBUS.
  if (::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fault("cannot seal shared memory");
  void* mapped = ::mmap(nullptr, proto::telemetry_page_bytes, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
  if (mapped == MAP_FAILED) fault("cannot map shared memory");
  page_ = static_cast<const proto::TelemetryPage*>(mapped);
}

Page::Page(Page&& other) noexcept
    : descriptor_(std::move(other.descriptor_)), page_(std::exchange(other.page_, nullptr)) {}

Page::~Page() {
  if (page_ != nullptr)
    ::munmap(const_cast<proto::TelemetryPage*>(page_), proto::telemetry_page_bytes);  // NOLINT: munmap's signature
}

proto::Telemetry Page::read() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return proto::read_page(*page_, now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

}  // namespace tradewind::launcher
