#include "launcher/report/run_folder.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/dates.h"
#include "common/errors.h"

namespace tradewind::launcher {
namespace {

constexpr mode_t owner_only = 0700;

[[noreturn]] void fault(const std::string& path) {
  throw EnvironmentFault(std::string("cannot make the run folder: ") + std::strerror(errno), path,
                         "give a folder that can be written with --run-dir");
}

}  // namespace

std::string make_run_folder(const std::string& given, const std::string& beside, std::chrono::sys_seconds now,
                            const std::string& job) {
  if (!given.empty()) {
    if (::mkdir(given.c_str(), owner_only) != 0 && (errno != EEXIST || !std::filesystem::is_directory(given)))
      fault(given);
    return given;
  }
  const CivilTime t = civil(now);
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, t.day, t.hour, t.minute,
                t.second);
  const std::string first =
      (std::filesystem::path(beside) / ("tradewind-run-" + (job.empty() ? "" : job + "-") + name.data())).string();
  // Runs that start within the same second count on.
  for (int count = 1;; ++count) {
    std::string path = count == 1 ? first : first + "-" + std::to_string(count);
    if (::mkdir(path.c_str(), owner_only) == 0) return path;
    if (errno != EEXIST) fault(path);
  }
}

std::string make_shared_run_folder(const std::string& beside, const std::string& run) {
  return make_run_folder((std::filesystem::path(beside) / ("tradewind-run-" + run)).string(), {}, {});
}

}  // namespace tradewind::launcher
