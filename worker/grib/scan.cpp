#include "worker/grib/scan.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"

namespace tradewind::grib {
namespace {

namespace fs = std::filesystem;

std::uint64_t big_endian(const unsigned char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

class Scanner {
 public:
  Scanner(const FileReader& file, const std::string& path) : file_(file), path_(path) {}

  std::vector<Extent> run() {
    std::uint64_t at = 0;
    while (find_magic(at)) {
      const std::uint64_t length = length_at(at);
      check(at, length);
      found_.push_back({at, length});
      at += length;
    }
    if (found_.empty() && file_.size() > 0)
      throw UserError("no GRIB message in the file", path_, "give a GRIB file as input");
    return std::move(found_);
  }

 private:
  // Moves `at` to the next "GRIB"; false when there is none.
  bool find_magic(std::uint64_t& at) {
    std::string block(4, '\0');
    while (at + 4 <= file_.size()) {
      const std::size_t got = file_.read(at, block.data(), block.size());
      const auto found = std::string_view(block.data(), got).find("GRIB");
      if (found != std::string_view::npos) {
        at += found;
        return true;
      }
      if (got < 4) return false;
      at += got - 3;
      block.resize(65536);  // messages lie end to end as a rule: search wider only once they do not
    }
    return false;
  }

  std::uint64_t number_at(std::uint64_t offset, std::uint64_t message, int bytes) {
    unsigned char buffer[8];
    if (file_.read(offset, reinterpret_cast<char*>(buffer), static_cast<std::size_t>(bytes)) !=
        static_cast<std::size_t>(bytes))
      fail(message, "the file ends inside the message's header");
    return big_endian(buffer, bytes);
  }

  std::uint64_t length_at(std::uint64_t at) {
    const auto edition = number_at(at + 7, at, 1);
    if (edition == 2) return number_at(at + 8, at, 8);
    if (edition != 1) fail(at, "GRIB edition " + std::to_string(edition) + " is not known");
    const std::uint64_t length = number_at(at + 4, at, 3);
    return length & 0x800000 ? large_edition_1(at, length) : length;
  }

  // Messages of edition 1 beyond 8 MiB count in units of 120 bytes, and section 4 holds the remainder.
  std::uint64_t large_edition_1(std::uint64_t at, std::uint64_t length) {
    std::uint64_t section = at + 8;
    const std::uint64_t flags = number_at(section + 7, at, 1);
    section += number_at(section, at, 3);
    if (flags & 0x80) section += number_at(section, at, 3);
    if (flags & 0x40) section += number_at(section, at, 3);
    const std::uint64_t section4 = number_at(section, at, 3);
    return section4 < 120 ? (length & 0x7fffff) * 120 - section4 + 4 : length;
  }

  void check(std::uint64_t at, std::uint64_t length) {
    if (length < 12) fail(at, "its length of " + std::to_string(length) + " bytes is impossible");
    if (length > file_.size() - at)
      fail(at, "it says it has " + std::to_string(length) + " bytes, but the file ends after " +
                   std::to_string(file_.size() - at));
    char end[4];
    file_.read(at + length - 4, end, 4);
    if (std::memcmp(end, "7777", 4) != 0) fail(at, "its end mark 7777 is missing");
  }

  [[noreturn]] void fail(std::uint64_t at, const std::string& why) {
    throw UserError("corrupt or truncated GRIB message: " + why, place(path_, found_.size() + 1, at),
                    "copy or retrieve the file again");
  }

  const FileReader& file_;
  const std::string& path_;
  std::vector<Extent> found_;
};

bool has_grib_suffix(const fs::path& path) {
  const std::string suffix = path.extension().string();
  return suffix == ".grib" || suffix == ".grb" || suffix == ".grb2" || suffix == ".grib2";
}

bool has_magic(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

// Files that match the components from `index` on, below `folder`.
void match_glob(const fs::path& folder, const std::vector<std::string>& parts, std::size_t index,
                std::vector<std::string>& found) {
  std::error_code error;
  if (index == parts.size()) {
    if (fs::is_regular_file(folder, error)) found.push_back(folder.string());
    return;
  }
  const std::string& part = parts[index];
  if (part != "**" && !has_magic(part)) {
    if (fs::exists(folder / part, error)) match_glob(folder / part, parts, index + 1, found);
    return;
  }
  if (part == "**") match_glob(folder, parts, index + 1, found);
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, error)) {
    const std::string name = entry.path().filename().string();
    if (part == "**") {
      if (name[0] == '.') continue;
      if (entry.is_directory(error) && !entry.is_symlink(error))
        match_glob(folder / name, parts, index, found);
      else if (index + 1 == parts.size() && entry.is_regular_file(error))
        found.push_back((folder / name).string());
    } else if (fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      match_glob(folder / name, parts, index + 1, found);
    }
  }
}

std::vector<std::string> glob_files(const std::string& pattern) {
  std::vector<std::string> parts, found;
  const fs::path path(pattern);
  for (const auto& part : path.relative_path()) parts.push_back(part.string());
  match_glob(path.root_path(), parts, 0, found);
  return found;
}

}  // namespace

FileReader::FileReader(const std::string& path) : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
    const int code = errno;
    if (descriptor_ >= 0) close(descriptor_);
    throw EnvironmentFault(std::string("cannot open the file: ") + std::strerror(code), path);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
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

std::string FileReader::read(const Extent& extent) const {
  std::string bytes(extent.length, '\0');
  if (read(extent.offset, bytes.data(), bytes.size()) != bytes.size())
    throw EnvironmentFault("the file became shorter while it was read", path_);
  return bytes;
}

std::vector<Extent> scan_messages(const FileReader& file, const std::string& path) { return Scanner(file, path).run(); }

std::string place(const std::string& path, std::size_t number, std::uint64_t offset) {
  return path + ", message " + std::to_string(number) + " at byte " + std::to_string(offset);
}

std::vector<std::string> expand_path(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (auto entry = fs::recursive_directory_iterator(path, fs::directory_options::follow_directory_symlink, error);
         entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (error) throw EnvironmentFault("cannot list the folder: " + error.message(), path);
      if (has_grib_suffix(entry->path()) && entry->is_regular_file(error)) files.push_back(entry->path().string());
    }
    if (files.empty())
      throw UserError("the folder holds no *.grib, *.grb, *.grb2 or *.grib2 file", path, "check `input` in the config");
  } else if (fs::exists(path, error)) {
    files.push_back(path);
  } else if (has_magic(path)) {
    files = glob_files(path);
    if (files.empty()) throw UserError("no file matches the pattern", path, "check `input` in the config");
  } else {
    throw UserError("the GRIB file does not exist", path, "check `input` in the config");
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace tradewind::grib
