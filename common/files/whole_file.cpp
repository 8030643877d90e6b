#include "common/files/whole_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include "common/errors.h"
#include "common/streams.h"

namespace tradewind {
namespace {

std::string unforeseen() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number))
    number = static_cast<std::uint64_t>(::getpid());
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

bool is_in_order(const std::string& path) {
  if (descriptor_named(path)) return true;  // also where it leads to a regular file: its name is the system's
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

bool synced(int file) { return ::fsync(file) == 0 || errno == EINVAL || errno == EROFS || errno == EBADF; }

}  // namespace

WholeFile::WholeFile(std::string path, WholeFileOptions options)
    : path_(std::move(path)), options_(std::move(options)) {
  if (!options_.own_folder && is_in_order(path_)) {
    open_in_order();
    return;
  }
  const PathParts parts = parts_of(path_);
  name_ = parts.name;
  if (name_.empty() || name_ == "." || name_ == "..") fail("create", EISDIR);
  try {
    folder_ = options_.own_folder ? Folder::open_own(parts.folder) : Folder::open(parts.folder);
  } catch (const EnvironmentFault& fault) {
    throw EnvironmentFault("cannot create " + options_.what + ": " + fault.message(), path_, options_.remedy);
  }
  struct stat status {};
  if (::fstatat(folder_->get(), name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
    fail("create", EISDIR);
  for (int tries = 0; !file_.valid(); ++tries) {
    beside_ = name_ + "." + unforeseen() + ".partial";
    file_ = Descriptor(
        ::openat(folder_->get(), beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, options_.mode));
    if (!file_.valid() && (errno != EEXIST || tries == 8)) {
      beside_.clear();
      fail("create", errno);
    }
  }
}

// Opened anew, a stream would be written from its start. A pipe's reader gets a moment to come, not for ever.
void WholeFile::open_in_order() {
  if (const auto given = descriptor_named(path_)) {
    file_ = Descriptor(::fcntl(*given, F_DUPFD_CLOEXEC, 3));
    if (!file_.valid()) fail("open", errno);
    return;
  }
  constexpr int most_tries = 60;
  for (int tries = 0; !file_.valid(); ++tries) {
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (file_.valid()) break;
    if (errno != ENXIO || tries == most_tries) fail("open", errno);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ::fcntl(file_.get(), F_SETFL, ::fcntl(file_.get(), F_GETFL) & ~O_NONBLOCK);
}

WholeFile::~WholeFile() {
  if (folder_ && !beside_.empty()) ::unlinkat(folder_->get(), beside_.c_str(), 0);
}

void WholeFile::write(const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t wrote = ::write(file_.get(), from, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("write", errno);
    from += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
}

void WholeFile::publish() {
  if (options_.sync && !synced(file_.get())) fail("write", errno);
  if (::close(file_.release()) != 0 && errno != EINTR) fail("write", errno);
  if (!folder_) return;
  if (::renameat(folder_->get(), beside_.c_str(), folder_->get(), name_.c_str()) != 0) fail("name", errno);
  beside_.clear();
  if (options_.sync && !synced(folder_->get())) fail("name", errno);
}

void WholeFile::fail(const char* doing, int code) const {
  throw EnvironmentFault("cannot " + std::string(doing) + " " + options_.what + ": " + std::strerror(code), path_,
                         code == ENOSPC || code == EDQUOT ? "make room there, or write elsewhere" : options_.remedy);
}

void write_whole(const std::string& path, std::string_view text, WholeFileOptions options) {
  WholeFile file(path, std::move(options));
  file.write(text);
  file.publish();
}

void try_whole(const std::string& path, WholeFileOptions options) {
  // A FIFO is not opened to try: that would wait for its reader.
  if (is_in_order(path)) return;
  const WholeFile file(path, std::move(options));
}

Descriptor open_log(const Folder& folder, const std::string& name) {
  Descriptor file(::openat(folder.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR));
  struct stat status {};
  if (file.valid() && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)) {
    file.reset();
    errno = EPERM;
  }
  return file;
}

}  // namespace tradewind
