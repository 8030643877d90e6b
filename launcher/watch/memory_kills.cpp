#include "launcher/watch/memory_kills.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace tradewind::launcher {
namespace {

// The number after `name ` on a line of its own; -1 without one.
std::int64_t count_in(const std::string& file, std::string_view name) {
  std::ifstream stream(file);
  std::string word;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    std::int64_t value = -1;
    if (fields >> word >> value && word == name) return value;
  }
  return -1;
}

std::int64_t number_in(const std::string& file) {
  std::ifstream stream(file);
  std::int64_t value = 0;
  // `max` and version 1's largest number mean no limit.
  constexpr std::int64_t no_limit = std::int64_t{1} << 60;
  return stream >> value && value < no_limit ? value : 0;
}

// Whether a comma-separated list holds that word.
bool lists(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');)
    if (one == word) return true;
  return false;
}

struct Group {
  std::string path;  // within its hierarchy
  bool version_2 = false;
};

// The group that limits memory: of the version 1 controller where there is one, else of the unified hierarchy.
std::optional<Group> group_of(const std::string& file) {
  std::ifstream stream(file);
  std::optional<Group> unified;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (lists(controllers, "memory")) return Group{line.substr(second + 1), false};
    if (controllers.empty()) unified = Group{line.substr(second + 1), true};
  }
  return unified;
}

// Where that hierarchy is mounted; mountinfo: id parent device root mountpoint options ... - type source options.
std::string folder_of(const std::string& mounts, const Group& group) {
  std::ifstream stream(mounts);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream left(line), right(line.substr(dash + 3));
    std::string skipped, root, point, type, source, options;
    left >> skipped >> skipped >> skipped >> root >> point;
    right >> type >> source >> options;
    const bool fits = group.version_2 ? type == "cgroup2" : type == "cgroup" && lists(options, "memory");
    if (!fits) continue;
    // Within a container the mount shows a part of the hierarchy only.
    std::string path = group.path;
    if (root != "/" && path.starts_with(root)) path = path.substr(root.size());
    return point + (path == "/" ? "" : path);
  }
  return {};
}

}  // namespace

std::string text_of(const MemoryKill& kill) {
  constexpr int mebibyte = 20;
  std::string text;
  if (kill.limit_bytes > 0) text += "limit " + std::to_string(kill.limit_bytes >> mebibyte) + " MiB, ";
  if (kill.peak_bytes > 0) text += "peak " + std::to_string(kill.peak_bytes >> mebibyte) + " MiB, ";
  return text + "control group " + kill.group;
}

MemoryKills::MemoryKills(pid_t pid, const std::string& root) : root_(root) {
  host_count_ = count_in(root_ + "/proc/vmstat", "oom_kill");
  const auto group = group_of(root_ + "/proc/" + std::to_string(pid) + "/cgroup");
  if (!group) return;
  version_2_ = group->version_2;
  folder_ = folder_of(root_ + "/proc/self/mountinfo", *group);
  if (folder_.empty()) return;
  count_ = count_in(root_ + folder_ + (version_2_ ? "/memory.events" : "/memory.oom_control"), "oom_kill");
}

std::optional<MemoryKill> MemoryKills::since_start() const {
  if (count_ < 0) return std::nullopt;
  const std::string folder = root_ + folder_;
  if (count_in(folder + (version_2_ ? "/memory.events" : "/memory.oom_control"), "oom_kill") <= count_)
    return std::nullopt;
  return MemoryKill{.limit_bytes = number_in(folder + (version_2_ ? "/memory.max" : "/memory.limit_in_bytes")),
                    .peak_bytes = number_in(folder + (version_2_ ? "/memory.peak" : "/memory.max_usage_in_bytes")),
                    .group = folder_};
}

bool MemoryKills::on_host_since_start() const {
  return host_count_ >= 0 && count_in(root_ + "/proc/vmstat", "oom_kill") > host_count_;
}

}  // namespace tradewind::launcher
