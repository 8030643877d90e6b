#include "worker/grib/find_files.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "common/errors.h"
#include "worker/grib/file_reader.h"

namespace tradewind::grib {
namespace {

namespace fs = std::filesystem;

// Beyond these an input is a mistake (the root of a disk, links in circles), and listing it would take minutes.
constexpr std::size_t most_entries = 1'000'000, most_levels = 100;
constexpr const char* check_input = "check `input` in the config";

bool has_grib_suffix(const std::string& path) {
  const std::string suffix = fs::path(path).extension().string();
  return suffix == ".grib" || suffix == ".grb" || suffix == ".grb2" || suffix == ".grib2";
}

bool has_magic(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

// Nothing to be listed or read there, by no fault of the system.
bool only_left_out(int code) {
  return code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR || code == ELOOP;
}

class Finder {
 public:
  explicit Finder(const std::string& path) : path_(path) {}

  FoundFiles run() {
    struct stat status {};
    if (stat(path_.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode))
        walk(path_);
      else
        take(path_, status);
    } else if (errno != ENOENT && errno != ENAMETOOLONG) {
      throw UserError(std::string("cannot look at the GRIB input: ") + std::strerror(errno), path_, check_input);
    } else if (has_magic(path_)) {
      std::vector<std::string> parts;
      for (const auto& part : fs::path(path_).relative_path())
        if (parts.empty() || part != "**" || parts.back() != "**") parts.push_back(part.string());
      match(fs::path(path_).root_path().string(), parts, 0);
    } else if (lstat(path_.c_str(), &status) == 0) {
      throw UserError("the GRIB file does not exist: the link leads nowhere", path_, check_input);
    } else {
      throw UserError("the GRIB file does not exist", path_, check_input);
    }
    return result(S_ISDIR(status.st_mode));
  }

 private:
  struct Entry {
    std::string name, path;
    struct stat status {};
    bool link = false;
  };
  using FileId = std::pair<dev_t, ino_t>;

  FoundFiles result(bool folder) {
    std::sort(found_.begin(), found_.end());
    std::set<FileId> seen;
    FoundFiles files{.files = {}, .warnings = warnings_};
    for (const auto& [path, id] : found_)
      if (seen.insert(id).second) files.files.push_back(path);
    if (!files.files.empty()) return files;
    std::string left_out;
    for (const std::string& warning : warnings_) left_out += "; " + warning;
    if (folder)
      throw UserError("the folder holds no *.grib, *.grb, *.grb2 or *.grib2 file" + left_out, path_, check_input);
    throw UserError("no file matches the pattern" + left_out, path_, check_input);
  }

  void take(const std::string& path, const struct stat& status) {
    found_.emplace_back(path, FileId(status.st_dev, status.st_ino));
  }

  void warn(const std::string& path, const std::string& why) {
    warnings_.push_back("left out of the input: " + path + " (" + why + ")");
  }

  // What is in a folder, by name; the folder is closed again, so that depth costs no descriptors. Nothing for one that
  // cannot be read, which is told.
  std::vector<Entry> list(const std::string& folder) {
    const std::string name = folder.empty() ? "." : folder;
    std::vector<Entry> entries;
    DIR* const opened = opendir(name.c_str());
    int code = opened ? 0 : errno;
    while (opened) {
      errno = 0;
      const dirent* const next = readdir(opened);
      code = next ? 0 : errno;
      if (!next) break;
      const std::string entry = next->d_name;
      if (entry == "." || entry == "..") continue;
      entries.push_back({.name = entry, .path = (fs::path(folder) / entry).string()});
      if (++entries_ > most_entries) {
        closedir(opened);
        throw UserError("the input has more than " + std::to_string(most_entries) + " files and folders to look at",
                        path_, "give a folder or pattern that holds the analysis only");
      }
    }
    if (opened) closedir(opened);
    if (code != 0) cannot_list(name, code);
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  void cannot_list(const std::string& folder, int code) {
    const std::string text = std::string("cannot list the folder: ") + std::strerror(code);
    if (!only_left_out(code)) throw EnvironmentFault(text, folder);
    if (folder == path_) throw UserError(text, folder, "have its owner allow it, or give another folder");
    warn(folder, text);
  }

  // false: it leads nowhere, which is told when a GRIB file may have been meant.
  bool look(Entry& entry, bool tell) {
    struct stat own {};
    if (lstat(entry.path.c_str(), &own) == 0) {
      entry.link = S_ISLNK(own.st_mode);
      entry.status = own;
      if (!entry.link || stat(entry.path.c_str(), &entry.status) == 0) return true;
    }
    const int code = errno;
    const std::string text = std::string(entry.link ? "a link that leads nowhere: " : "") + std::strerror(code);
    if (!only_left_out(code)) throw EnvironmentFault("cannot look at the file: " + text, entry.path);
    if (tell) warn(entry.path, text);
    return false;
  }

  // All GRIB files below a folder: what lies there first, then what links lead to.
  void walk(const std::string& top) {
    struct Folder {
      std::string path;
      std::size_t level;
    };
    std::deque<Folder> folders = {{top, 0}}, linked;
    std::set<FileId> listed;
    while (!folders.empty() || !linked.empty()) {
      std::deque<Folder>& from = folders.empty() ? linked : folders;
      const Folder folder = from.front();
      from.pop_front();
      struct stat status {};
      if (stat(folder.path.c_str(), &status) == 0 && !listed.emplace(status.st_dev, status.st_ino).second) continue;
      if (folder.level > most_levels)
        throw UserError("the input's folders go deeper than " + std::to_string(most_levels) + " levels", folder.path,
                        "give a folder or pattern that holds the analysis only");
      for (Entry& entry : list(folder.path)) {
        const bool wanted = has_grib_suffix(entry.name);
        if (!look(entry, wanted)) continue;
        if (S_ISDIR(entry.status.st_mode))
          (entry.link ? linked : folders).push_back({entry.path, folder.level + 1});
        else if (wanted)
          take_or_tell(entry);
      }
    }
  }

  void take_or_tell(const Entry& entry) {
    if (const std::string kind = kind_of(entry.status.st_mode); !kind.empty())
      warn(entry.path, "it is " + kind + ", not a regular file");
    else
      take(entry.path, entry.status);
  }

  // Files that match the parts of the pattern from `index` on, below `folder`.
  void match(const std::string& folder, const std::vector<std::string>& parts, std::size_t index) {
    const std::string& part = parts[index];
    const bool last = index + 1 == parts.size();
    if (part != "**" && !has_magic(part)) {
      Entry entry{.name = part, .path = (fs::path(folder) / part).string()};
      if (!exists(entry)) return;
      if (!last)
        match(entry.path, parts, index + 1);
      else if (!S_ISDIR(entry.status.st_mode))
        take_or_tell(entry);
      return;
    }
    if (!first_time(folder, index)) return;
    if (part == "**" && !last) match(folder, parts, index + 1);
    for (Entry& entry : list(folder)) {
      const bool matches =
          part == "**" ? entry.name[0] != '.' : fnmatch(part.c_str(), entry.name.c_str(), FNM_PERIOD) == 0;
      if (!matches || !look(entry, last)) continue;
      if (!S_ISDIR(entry.status.st_mode)) {
        if (last) take_or_tell(entry);
      } else if (part == "**") {
        if (!entry.link) match(entry.path, parts, index);
      } else if (!last) {
        match(entry.path, parts, index + 1);
      }
    }
  }

  // Of a name that is no pattern: most often it is simply not there.
  bool exists(Entry& entry) {
    if (stat(entry.path.c_str(), &entry.status) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR) warn(entry.path, std::strerror(errno));
    return false;
  }

  bool first_time(const std::string& folder, std::size_t index) {
    if (index > most_levels)
      throw UserError("the pattern has more than " + std::to_string(most_levels) + " parts", path_, check_input);
    struct stat status {};
    return stat(folder.empty() ? "." : folder.c_str(), &status) != 0 ||
           tried_.insert({status.st_dev, status.st_ino, index}).second;
  }

  const std::string& path_;
  std::vector<std::pair<std::string, FileId>> found_;
  std::vector<std::string> warnings_;
  std::set<std::tuple<dev_t, ino_t, std::size_t>> tried_;
  std::size_t entries_ = 0;
};

}  // namespace

FoundFiles find_files(const std::string& path) { return Finder(path).run(); }

}  // namespace tradewind::grib
