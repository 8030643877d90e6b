#include "common/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace tradewind {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t piece = std::size_t{64} << 10;

// Whether the folder lists the descriptors of this process: /proc/self/fd, /proc/123/fd, /proc/123/task/124/fd.
bool is_own_descriptors(const fs::path& folder) {
  const std::string process = "/proc/" + std::to_string(::getpid());
  if (folder == process + "/fd") return true;
  return folder.filename() == "fd" && folder.parent_path().parent_path() == process + "/task";
}

}  // namespace

std::optional<int> descriptor_named(const std::string& path) {
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  for (int links = 0; !error && links < 32; ++links) {
    const fs::path folder = fs::canonical(at.parent_path(), error);
    if (error) return std::nullopt;
    const std::string name = at.filename().string();
    if (is_own_descriptors(folder)) {
      int number = -1;
      const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (fault != std::errc() || end != name.data() + name.size() || number < 0) return std::nullopt;
      return number;
    }
    if (!fs::is_symlink(folder / name, error)) return std::nullopt;
    at = folder / fs::read_symlink(folder / name, error);  // an absolute one replaces all of it
  }
  return std::nullopt;
}

std::string stream_words(const std::string& path) {
  return descriptor_named(path) == STDOUT_FILENO ? "standard output" : path;
}

int why_not_writable(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return errno;
  // What a shell hands over stays open in its children; what this program opens does not.
  const bool own = (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
  return own || (flags & O_ACCMODE) == O_RDONLY ? EBADF : 0;
}

int write_all(int descriptor, std::string_view bytes, const std::function<void(std::size_t)>& moved) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      if (moved) moved(static_cast<std::size_t>(count));
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {  // somebody made it so, for all who share it
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (count < 0 && errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

EnvironmentFault write_fault(const std::string& what, const std::string& path, int error) {
  const char* remedy = error == ENOSPC || error == EDQUOT ? "make room there, or write elsewhere"
                       : error == EFBIG                   ? "raise the limit (ulimit -f), or write elsewhere"
                       : error == EPIPE                   ? "whoever read it has gone: let it read to the end"
                       : error == EBADF                   ? "it is closed, or not open for writing"
                       : error == EACCES || error == EPERM || error == EROFS
                           ? "check the permissions, or write elsewhere"
                           : "";
  return EnvironmentFault("cannot write to " + what + ": " + std::strerror(error), path, remedy);
}

void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // Reading of standard input finds its end; of the others, writing fails.
    const int opened = ::open("/dev/null", O_RDONLY);
    if (opened < 0 || opened == descriptor) continue;
    ::dup2(opened, descriptor);
    ::close(opened);
  }
}

StreamBuffer::int_type StreamBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  return xsputn(&one, 1) == 1 ? c : traits_type::eof();
}

std::streamsize StreamBuffer::xsputn(const char* text, std::streamsize count) {
  pending_.append(text, static_cast<std::size_t>(count));
  if (pending_.size() >= piece && sync() != 0) return 0;
  return error_ == 0 ? count : 0;
}

int StreamBuffer::sync() {
  if (error_ == 0) error_ = write_all(descriptor_, pending_);
  pending_.clear();
  return error_ == 0 ? 0 : -1;
}

}  // namespace tradewind
