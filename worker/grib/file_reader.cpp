#include "worker/grib/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/errors.h"

namespace tradewind::grib {
namespace {

[[noreturn]] void fail_to_open(const std::string& path, int code) {
  const std::string text = std::string("cannot open the file: ") + std::strerror(code);
  if (code == ENOENT || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG)
    throw UserError(text, path, "check the path");
  if (code == EACCES || code == EPERM)
    throw UserError(text, path,
                    "have its owner allow reading (the file, and the folders on its path), or leave it out");
  throw EnvironmentFault(text, path);
}

void check_regular(const struct stat& status, const std::string& path) {
  // Whoever waits to write into the pipe is to learn that nobody reads.
  if (S_ISFIFO(status.st_mode))
    if (const int reader = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); reader >= 0) close(reader);
  if (const std::string kind = kind_of(status.st_mode); !kind.empty())
    throw UserError("is " + kind + ", not a regular file, which can be read at any place", path,
                    "write the data to a file first, and give that file");
}

FileState state_from(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

// GRIB, edition 2, discipline and the length of the whole (section 0) before the sections of one field.
constexpr std::size_t section0 = 16, end_mark = 4;

}  // namespace

std::string kind_of(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe (FIFO)";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  return "no file";
}

FileState state_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) fail_to_open(path, errno);
  check_regular(status, path);
  return state_from(status);
}

FileReader::FileReader(const std::string& path) : path_(path) {
  state_of(path);  // opening a device may act on it
  // Without waiting for a writer, should it have become a pipe in between.
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) fail_to_open(path, errno);
  struct stat status {};
  try {
    if (fstat(descriptor_, &status) != 0) fail_to_open(path, errno);
    check_regular(status, path);
  } catch (...) {
    close(descriptor_);
    throw;
  }
  state_ = state_from(status);
}

FileReader::~FileReader() { close(descriptor_); }

std::size_t FileReader::read(std::uint64_t offset, char* into, std::size_t count) const {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = pread(descriptor_, into + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw EnvironmentFault(std::string("cannot read the file: ") + std::strerror(errno), path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void FileReader::read_whole(const Range& range, char* into) const {
  if (read(range.offset, into, range.length) != range.length)
    throw EnvironmentFault("the file became shorter while it was read", path_,
                           "start the run once the file is complete");
}

std::string FileReader::read(const Extent& extent) const {
  if (extent.parts.empty()) {
    std::string bytes(extent.length, '\0');
    read_whole({extent.offset, extent.length}, bytes.data());
    return bytes;
  }
  std::uint64_t length = section0 + end_mark;
  for (const Range& part : extent.parts) length += part.length;
  std::string bytes(length, '7');
  read_whole({extent.offset, section0}, bytes.data());
  for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<char>(length >> (8 * (7 - i)) & 0xff);
  char* into = bytes.data() + section0;
  for (const Range& part : extent.parts) {
    read_whole(part, into);
    into += part.length;
  }
  return bytes;
}

void FileReader::check_unchanged() const {
  struct stat status {};
  if (fstat(descriptor_, &status) == 0 && state_from(status) == state_) return;
  throw EnvironmentFault("the file was changed while the run read it", path_,
                         "start the run once the file is complete, and leave it alone until the run has ended");
}

}  // namespace tradewind::grib
