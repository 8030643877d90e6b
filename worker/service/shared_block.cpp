#include "worker/service/shared_block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "common/errors.h"

namespace tradewind::service {
namespace {

constexpr const char* what = "memory for tensors of calls";

[[noreturn]] void fault(const std::string& text) {
  throw EnvironmentFault(std::string(what) + ": " + text, {}, "free memory, or ask for fewer samples in one call");
}

[[noreturn]] void fault(int error) { fault(std::string(std::strerror(error))); }

}  // namespace

SharedBlock::SharedBlock(std::size_t bytes)
    : descriptor_(::memfd_create("tradewind-serve", MFD_CLOEXEC | MFD_ALLOW_SEALING)), bytes_(bytes) {
  if (!descriptor_.valid() || ::ftruncate(descriptor_.get(), static_cast<off_t>(bytes)) != 0) fault(errno);
  ::fcntl(descriptor_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  map();
}

SharedBlock::SharedBlock(pid_t owner, int descriptor, std::size_t bytes) : bytes_(bytes) {
  const std::string path = "/proc/" + std::to_string(owner) + "/fd/" + std::to_string(descriptor);
  descriptor_ = Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor_.valid()) fault(errno);
  struct stat found {};
  if (::fstat(descriptor_.get(), &found) != 0 || static_cast<std::size_t>(found.st_size) != bytes)
    fault(path + " has another size than rank 0 says");
  map();
}

void SharedBlock::map() {
  void* const begin = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
  if (begin == MAP_FAILED) fault(errno);
  begin_ = static_cast<std::byte*>(begin);
}

SharedBlock::SharedBlock(SharedBlock&& other) noexcept
    : descriptor_(std::move(other.descriptor_)),
      bytes_(std::exchange(other.bytes_, 0)),
      begin_(std::exchange(other.begin_, nullptr)) {}

SharedBlock& SharedBlock::operator=(SharedBlock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(bytes_, other.bytes_);
  std::swap(begin_, other.begin_);
  return *this;
}

SharedBlock::~SharedBlock() {
  if (begin_ != nullptr) ::munmap(begin_, bytes_);
}

}  // namespace tradewind::service
