// Many files to read from, of which a few are open at a time, and which are to stay what they were.
// Thread-safe. Errors: those of FileReader; EnvironmentFault naming a file that was changed or replaced.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "worker/grib/file_reader.h"

namespace tradewind::grib {

class FileSet {
 public:
  // `states`: of each path, as it was found; one without an inode is known by its size only.
  FileSet(std::vector<std::string> paths, std::vector<FileState> states);
  FileSet(FileSet&& other) noexcept;
  const std::vector<std::string>& paths() const { return paths_; }
  std::shared_ptr<const FileReader> open(std::size_t file) const;
  std::string read(std::size_t file, const Extent& extent) const;
  // That what the path leads to now is what was read.
  void check_unchanged(std::size_t file) const;

 private:
  static constexpr std::size_t most_open = 16;

  void check(std::size_t file, const FileState& state) const;

  std::vector<std::string> paths_;
  mutable std::mutex mutex_;
  mutable std::vector<FileState> known_;
  mutable std::list<std::pair<std::size_t, std::shared_ptr<const FileReader>>> open_;  // the last used first
};

}  // namespace tradewind::grib
