#include "worker/outputs/ordered_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "common/clock.h"
#include "common/errors.h"
#include "common/streams.h"

namespace tradewind::outputs {
namespace {

int copy_of(const std::string& path, int descriptor) {
  if (const int error = why_not_writable(descriptor)) throw write_fault(stream_words(path), path, error);
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw write_fault(stream_words(path), path, errno);
  return copy;
}

// Opening a pipe without a reader would wait for ever.
int open_for_reader(const std::string& path, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds pause(20);
  for (const auto end = Clock::now() + patience;; std::this_thread::sleep_for(pause)) {
    const int opened = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (opened >= 0) {
      const int flags = ::fcntl(opened, F_GETFL);
      ::fcntl(opened, F_SETFL, flags & ~O_NONBLOCK);
      return opened;
    }
    const int code = errno;
    struct stat status {};
    const bool pipe = ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
    if (code == ENXIO && pipe && Clock::now() < end) continue;
    if (code == ENXIO && pipe)
      throw EnvironmentFault("nobody reads the pipe: waited " +
                                 std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience).count()) +
                                 " s for a reader",
                             path, "start its reader first");
    throw EnvironmentFault(std::string("cannot open the output: ") + std::strerror(code), path,
                           code == EACCES || code == EPERM ? "check the permissions, or write elsewhere" : "");
  }
}

}  // namespace

bool OrderedFile::is_ordered(const std::string& path, const GivenStreams& given) {
  if (given.contains(path) || descriptor_named(path)) return true;
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

OrderedFile::OrderedFile(const std::string& path, const GivenStreams& given, std::chrono::milliseconds patience)
    : path_(path) {
  const auto known = given.find(path);
  if (known == given.end() && descriptor_named(path))
    throw UserError("the path means a descriptor of the process that uses it, and this rank was handed none", path,
                    "write to a file, or to a named pipe");
  descriptor_ = known != given.end() ? copy_of(path, known->second) : open_for_reader(path, patience);
}

OrderedFile::~OrderedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OrderedFile::write(std::string_view bytes, const std::function<void(std::size_t)>& moved) {
  if (const int error = write_all(descriptor_, bytes, moved)) throw write_fault(stream_words(path_), path_, error);
}

void OrderedFile::close() {
  const int file = std::exchange(descriptor_, -1);
  if (file < 0) return;
  // Pipes, terminals and some devices cannot be synced, which is no loss.
  const int error = ::fsync(file) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP ? 0 : errno;
  const int closed = ::close(file) == 0 ? 0 : errno;
  if (error != 0 || closed != 0) throw write_fault(stream_words(path_), path_, error != 0 ? error : closed);
}

}  // namespace tradewind::outputs
