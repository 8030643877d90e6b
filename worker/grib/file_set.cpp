#include "worker/grib/file_set.h"

#include <algorithm>

#include "common/errors.h"

namespace tradewind::grib {

FileSet::FileSet(std::vector<std::string> paths, std::vector<FileState> states)
    : paths_(std::move(paths)), known_(std::move(states)) {}

FileSet::FileSet(FileSet&& other) noexcept
    : paths_(std::move(other.paths_)), known_(std::move(other.known_)), open_(std::move(other.open_)) {}

void FileSet::check(std::size_t file, const FileState& state) const {
  const FileState& known = known_.at(file);
  if (known.inode == 0 ? known.size == state.size : known == state) return;
  throw EnvironmentFault("the file was changed or replaced while the run read it", paths_[file],
                         "start the run once the file is complete, and leave it alone until the run has ended");
}

std::shared_ptr<const FileReader> FileSet::open(std::size_t file) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& one) { return one.first == file; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return found->second;
  }
  auto reader = std::make_shared<const FileReader>(paths_.at(file));
  check(file, reader->state());
  known_[file] = reader->state();
  open_.emplace_front(file, reader);
  if (open_.size() > most_open) open_.pop_back();
  return reader;
}

std::string FileSet::read(std::size_t file, const Extent& extent) const {
  const auto reader = open(file);
  std::string bytes = reader->read(extent);
  reader->check_unchanged();
  return bytes;
}

void FileSet::check_unchanged(std::size_t file) const {
  const FileState now = state_of(paths_.at(file));
  const std::lock_guard lock(mutex_);
  check(file, now);
}

}  // namespace tradewind::grib
