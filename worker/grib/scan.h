// Where the messages of a GRIB file lie. Reads only the section headers; junk between messages is skipped.
// Pure functions of the file's content, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tradewind::grib {

struct Extent {
  std::uint64_t offset = 0, length = 0;  // bytes
};

// An open file, read at positions. Errors: EnvironmentFault naming the path.
class FileReader {
 public:
  explicit FileReader(const std::string& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  std::uint64_t size() const { return size_; }
  // Up to `count` bytes; fewer only at the end of the file.
  std::size_t read(std::uint64_t offset, char* into, std::size_t count) const;
  std::string read(const Extent& extent) const;  // all of it

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// Every message of the file, in order. Errors: UserError with message number and offset for a message that is cut off,
// has no end mark or is of an edition other than 1 and 2; UserError when a non-empty file holds none.
std::vector<Extent> scan_messages(const FileReader& file, const std::string& path);

// "FILE, message 3 at byte 1234"
std::string place(const std::string& path, std::size_t number, std::uint64_t offset);

// Files that a path stands for, sorted: itself, the *.grib, *.grb, *.grb2, *.grib2 below a folder, or what a glob
// matches (`**` reaches into folders). Errors: UserError when there is none.
std::vector<std::string> expand_path(const std::string& path);

}  // namespace tradewind::grib
