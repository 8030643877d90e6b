#include "worker/outputs/room.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "common/errors.h"
#include "common/files/folder.h"

namespace tradewind::outputs {
namespace {

namespace fs = std::filesystem;

// The folder in which something would have to be made.
fs::path nearest_folder(const std::string& path) {
  std::error_code error;
  fs::path folder = fs::absolute(path, error).parent_path();
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

std::string megabytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g MB", 1e-6 * static_cast<double>(bytes));
  return text.data();
}

}  // namespace

void check_place(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw UserError("the output path is a folder", path, "give the path of a file");
  if (error == std::errc::too_many_symbolic_link_levels)
    throw UserError("the output path leads through links that go in a circle", path, "remove them, or write elsewhere");
  const fs::path folder = nearest_folder(path);
  if (!fs::is_directory(folder, error))
    throw UserError("the output's folder cannot be made: " + folder.string() + " is a file", path, "write elsewhere");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw EnvironmentFault(std::string("cannot write to the output's folder: ") + std::strerror(errno), folder.string(),
                           "check the permissions, or write elsewhere");
}

std::optional<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(nearest_folder(path).c_str(), &status) != 0 || status.f_blocks == 0) return std::nullopt;
  const auto blocks = ::geteuid() == 0 ? status.f_bfree : status.f_bavail;
  return std::uint64_t{blocks} * std::uint64_t{status.f_frsize};
}

std::vector<std::string> check_room(const std::vector<std::string>& files, const Need& need) {
  std::map<dev_t, std::uint64_t> devices;  // free bytes; several share what is to be written
  constexpr std::uint64_t block = 512;
  for (const std::string& path : files) {
    struct stat folder {
    }, older{};
    const auto free = free_bytes(path);
    if (!free || ::stat(nearest_folder(path).c_str(), &folder) != 0) return {};
    std::uint64_t& all = devices.try_emplace(folder.st_dev, *free).first->second;
    if (::lstat((target_of_links(path) + ".partial").c_str(), &older) == 0 && S_ISREG(older.st_mode) &&
        older.st_nlink == 1)
      all += static_cast<std::uint64_t>(older.st_blocks) * block;
  }
  std::uint64_t free = 0;
  for (const auto& [unused, bytes] : devices) free += bytes;
  const std::string room = ", and there is room for " + megabytes(free);
  if (need.first > free)
    throw EnvironmentFault("the first state alone takes about " + megabytes(2 * need.first) + room, files.front(),
                           "make room there, or write elsewhere");
  if (need.all > free) return {files.front() + ": the output takes up to " + megabytes(need.all) + room};
  return {};
}

}  // namespace tradewind::outputs
