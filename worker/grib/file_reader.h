// An open file, read at positions, which notices that it was changed meanwhile.
// Owns its descriptor; thread-safe. Errors: UserError naming the path for what is no regular file, is not there or may
// not be read; EnvironmentFault where the system fails.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tradewind::grib {

struct Range {
  std::uint64_t offset = 0, length = 0;  // bytes
};

// Where a message lies. A message of edition 2 may hold several fields, which count as messages: `parts` are the
// sections of one of them, in order; none where the message is one field.
struct Extent {
  std::uint64_t offset = 0, length = 0;  // bytes
  std::vector<Range> parts = {};
};

// What tells a file from another, or from itself before it was written to.
struct FileState {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;  // of its last modification
  bool operator==(const FileState&) const = default;
};

class FileReader {
 public:
  explicit FileReader(const std::string& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  std::uint64_t size() const { return state_.size; }
  const FileState& state() const { return state_; }  // when it was opened
  // Up to `count` bytes; fewer only at the end of the file.
  std::size_t read(std::uint64_t offset, char* into, std::size_t count) const;
  std::string read(const Extent& extent) const;  // a whole message of one field
  // EnvironmentFault when the file was written to since it was opened.
  void check_unchanged() const;

 private:
  void read_whole(const Range& range, char* into) const;

  std::string path_;
  int descriptor_ = -1;
  FileState state_;
};

// The file of this name now; UserError as for FileReader when there is none.
FileState state_of(const std::string& path);

// "a pipe (FIFO)", "a socket", ...; empty for a regular file.
std::string kind_of(mode_t mode);

}  // namespace tradewind::grib
