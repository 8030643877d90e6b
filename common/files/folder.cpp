#include "common/files/folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"

namespace tradewind {
namespace {

[[noreturn]] void fault(const std::string& doing, const std::string& path, int code) {
  throw EnvironmentFault("cannot " + doing + " the folder: " + std::strerror(code), path,
                         "give a folder of your own that can be written");
}

std::string why_not_own(const struct stat& status) {
  if (!S_ISDIR(status.st_mode)) return "it is no folder";
  if (status.st_uid != ::geteuid())
    return "it belongs to user " + std::to_string(status.st_uid) + ", not to you (" + std::to_string(::geteuid()) + ")";
  if ((status.st_mode & S_IWOTH) != 0)
    return "others may write to it, so that nothing in it can be trusted (chmod go-w)";
  return {};
}

// Following a link would be following whoever made it.
bool follows(const std::string& path, bool own_links) {
  struct stat status {};
  return own_links && ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace

PathParts parts_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string target_of_links(const std::string& path) {
  constexpr int most_links = 32;
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; links < most_links && std::filesystem::is_symlink(target, error); ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // an absolute one replaces all of it
  }
  return target.string();
}

std::string why_not_own_folder(const std::string& path, bool own_links) {
  struct stat status {};
  const int found = follows(path, own_links) ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
  if (found != 0) return {};
  if (S_ISLNK(status.st_mode)) return "it is a link";
  return why_not_own(status);
}

Folder Folder::open(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Where it may be searched but not listed, files in it can be opened all the same.
  if (!folder.valid() && errno == EACCES) folder = Descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) fault("open", path, errno);
  return {path, std::move(folder)};
}

Folder Folder::open_own(const std::string& path, bool own_links) {
  const int no_link = follows(path, own_links) ? 0 : O_NOFOLLOW;
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_link));
  if (!folder.valid()) {
    const int code = errno;
    const std::string why = why_not_own_folder(path, own_links);
    if (!why.empty()) throw EnvironmentFault("the folder cannot be used: " + why, path, "give another folder");
    fault("open", path, code);
  }
  struct stat status {};
  if (::fstat(folder.get(), &status) != 0) fault("look at", path, errno);
  const std::string why = why_not_own(status);
  if (!why.empty()) throw EnvironmentFault("the folder cannot be used: " + why, path, "give another folder");
  Folder own(path, std::move(folder));
  if ((status.st_mode & S_IWGRP) != 0) own.close_to_group();
  return own;
}

// A umask of 002 leaves a folder open to the user's group.
void Folder::close_to_group() {
  struct stat status {};
  if (::fstat(get(), &status) != 0) fault("look at", path_, errno);
  const mode_t mode = status.st_mode & 07755U;
  const bool done = ::fchmod(get(), mode) == 0 && ::fstat(get(), &status) == 0 && (status.st_mode & S_IWGRP) == 0;
  if (!done)
    throw EnvironmentFault("the folder cannot be used: its group may write to it, which cannot be changed", path_,
                           "give another folder");
  closed_to_group_ = true;
}

Folder Folder::make_own(const std::string& path, bool own_links) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) fault("make", path, errno);
  return open_own(path, own_links);
}

}  // namespace tradewind
