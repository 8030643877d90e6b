// Streams that are there before this program: standard output, descriptors that the shell has opened, pipes. Writing to
// them in order, and the names under which a path means one of them. Thread-safe but for StreamBuffer. SIGPIPE must be
// ignored or blocked: a reader that has left is an error like any other (EPIPE).
#pragma once

#include <functional>
#include <optional>
#include <streambuf>
#include <string>
#include <string_view>

#include "common/errors.h"

namespace tradewind {

inline constexpr const char* standard_output = "/dev/stdout";  // its name as a path

// The descriptor of this process that the path means: /dev/stdout, /dev/fd/3, /proc/self/fd/1, a link to one of them.
std::optional<int> descriptor_named(const std::string& path);
// `standard output` for one of its names, else the path.
std::string stream_words(const std::string& path);

// 0 when the descriptor is open for writing, else the error of a write. One that is this program's own counts as
// closed.
int why_not_writable(int descriptor);

// Writes all of it, and waits where a write would not. 0, or the error. `moved` hears of each piece.
int write_all(int descriptor, std::string_view bytes, const std::function<void(std::size_t)>& moved = {});

// `cannot write to WHAT: cause`, with the way out.
EnvironmentFault write_fault(const std::string& what, const std::string& path, int error);

// Where descriptors 0 to 2 are closed, later files and sockets would take their place and get what is meant for them.
// Opens something there that fails as a closed one does. Call first in main().
void occupy_standard_descriptors();

// What an ostream writes to a descriptor, with the first error.
class StreamBuffer : public std::streambuf {
 public:
  explicit StreamBuffer(int descriptor) : descriptor_(descriptor) {}
  ~StreamBuffer() override { sync(); }
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;
  int error() const { return error_; }

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  int sync() override;

 private:
  int descriptor_, error_ = 0;
  std::string pending_;
};

}  // namespace tradewind
