#include "launcher/report/run_folder.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "common/dates.h"
#include "common/errors.h"
#include "common/files/folder.h"
#include "common/printable.h"

namespace tradewind::launcher {
namespace {

constexpr mode_t owner_only = 0700;

[[noreturn]] void fault(const std::string& path) {
  throw EnvironmentFault(std::string("cannot make the run folder: ") + std::strerror(errno), path,
                         "give a folder that can be written with --run-dir");
}

// Its path, without a link at its end: what is opened in it later follows none.
std::string own_folder(std::string path, bool own_links) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  try {
    if (Folder::make_own(path, own_links).closed_to_group())
      std::cerr << printable("warning: " + path + ": its group could write to the run folder, and no longer can\n");
  } catch (const EnvironmentFault& fault) {
    throw EnvironmentFault("cannot make the run folder: " + fault.message(), path,
                           "give a folder of your own that can be written with --run-dir");
  }
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  return std::filesystem::canonical(path, error).string();
}

}  // namespace

std::string make_run_folder(const std::string& given, const std::string& beside, std::chrono::sys_seconds now,
                            const std::string& job) {
  if (!given.empty()) return own_folder(given, true);
  const CivilTime t = civil(now);
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, t.day, t.hour, t.minute,
                t.second);
  const std::string first =
      (std::filesystem::path(beside) / ("tradewind-run-" + (job.empty() ? "" : job + "-") + name.data())).string();
  // Runs that start within the same second count on.
  for (int count = 1;; ++count) {
    std::string path = count == 1 ? first : first + "-" + std::to_string(count);
    if (::mkdir(path.c_str(), owner_only) == 0) return own_folder(path, false);
    if (errno != EEXIST) fault(path);
  }
}

std::string make_shared_run_folder(const std::string& beside, const std::string& run) {
  return own_folder((std::filesystem::path(beside) / ("tradewind-run-" + run)).string(), false);
}

std::vector<std::string> parents_of_run_folders(const std::string& config, const Environment& environment) {
  std::vector<std::string> parents;
  struct stat status {};
  const bool stream = config.starts_with("/dev/") || config.starts_with("/proc/");
  if (!config.empty() && !stream && ::stat(config.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    parents.push_back(std::filesystem::path(config).parent_path().string());
  if (parents.empty() || !parents.front().empty()) parents.emplace_back();
  parents.push_back(environment.get_or("TMPDIR", "/tmp"));
  return parents;
}

}  // namespace tradewind::launcher
