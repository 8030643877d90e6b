#include "launcher/watch/control_group.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "common/file_text.h"

namespace tradewind::launcher {
namespace {

constexpr std::int64_t no_limit = std::int64_t{1} << 60;  // version 1 writes a number near the largest

// Whether a comma-separated list holds that word.
bool lists(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');)
    if (one == word) return true;
  return false;
}

// Path within its hierarchy. Lines of /proc/PID/cgroup: `id:controllers:path`, no controllers for the unified one.
struct Entry {
  std::string path;
  bool version_2 = false;
};
std::optional<Entry> entry_of(const std::string& text, const std::string& controller) {
  std::istringstream lines(text);
  std::optional<Entry> unified;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (lists(controllers, controller)) return Entry{line.substr(second + 1), false};
    if (controllers.empty()) unified = Entry{line.substr(second + 1), true};
  }
  return unified;
}

// Blanks and backslashes in mountinfo are written as three octal digits.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// mountinfo: id parent device root mountpoint options ... - type source options.
std::optional<ControlGroup> mounted(const std::string& mounts, const Entry& entry, const std::string& controller) {
  std::istringstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream left(line.substr(0, dash)), right(line.substr(dash + 3));
    std::string skipped, root, point, type, source, options;
    left >> skipped >> skipped >> skipped >> root >> point;
    right >> type >> source >> options;
    const bool fits = entry.version_2 ? type == "cgroup2" : type == "cgroup" && lists(options, controller);
    if (!fits) continue;
    root = unescaped(root);
    point = unescaped(point);
    // Within a container the mount shows a part of the hierarchy only, and the group may lie outside of it.
    std::string path = entry.path;
    const bool within = path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
    if (root != "/" && within)
      path = path.substr(root.size());
    else if (root != "/" || path.starts_with("/.."))
      path.clear();
    return ControlGroup{point + (path == "/" ? "" : path), point, entry.version_2};
  }
  return std::nullopt;
}

std::optional<std::int64_t> number_in(const std::string& file) {
  std::istringstream stream(file_text(file));
  std::int64_t value = 0;
  if (!(stream >> value)) return std::nullopt;
  return value;
}

std::optional<double> quota_in(const std::string& folder, bool version_2) {
  double quota = 0, period = 0;
  if (version_2) {
    std::istringstream stream(file_text(folder + "/cpu.max"));
    if (!(stream >> quota >> period)) return std::nullopt;  // `max 100000`
  } else {
    const auto limit = number_in(folder + "/cpu.cfs_quota_us"), each = number_in(folder + "/cpu.cfs_period_us");
    if (!limit || !each) return std::nullopt;
    quota = static_cast<double>(*limit);
    period = static_cast<double>(*each);
  }
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// Of a group with a limit: swap beside it, where the group says how much.
std::int64_t swap_of(const std::string& folder, bool version_2, std::int64_t limit) {
  if (version_2) {
    const std::string text = file_text(folder + "/memory.swap.max");
    if (text.starts_with("max")) return no_limit;
    return number_in(folder + "/memory.swap.max").value_or(0);
  }
  const auto both = number_in(folder + "/memory.memsw.limit_in_bytes");
  if (!both || *both >= no_limit) return no_limit;
  return std::max<std::int64_t>(0, *both - limit);
}

}  // namespace

std::vector<std::string> ControlGroup::upwards() const {
  std::vector<std::string> folders;
  for (std::string at = folder; at.size() > mount.size(); at.resize(at.rfind('/'))) folders.push_back(at);
  folders.push_back(mount);
  return folders;
}

std::optional<ControlGroup> control_group(pid_t pid, const std::string& controller, const std::string& root) {
  const std::string process = pid == 0 ? "self" : std::to_string(pid);
  const auto entry = entry_of(file_text(root + "/proc/" + process + "/cgroup"), controller);
  if (!entry) return std::nullopt;
  return mounted(file_text(root + "/proc/self/mountinfo"), *entry, controller);
}

std::optional<CpuQuota> cpu_quota(pid_t pid, const std::string& root) {
  const auto group = control_group(pid, "cpu", root);
  std::optional<CpuQuota> least;
  if (!group) return least;
  for (const std::string& folder : group->upwards())
    if (const auto cpus = quota_in(root + folder, group->version_2); cpus && (!least || *cpus < least->cpus))
      least = CpuQuota{*cpus, folder};
  return least;
}

std::optional<MemoryLimit> memory_limit(pid_t pid, const std::string& root) {
  const auto group = control_group(pid, "memory", root);
  std::optional<MemoryLimit> least;
  if (!group) return least;
  const char* name = group->version_2 ? "/memory.max" : "/memory.limit_in_bytes";
  for (const std::string& folder : group->upwards()) {
    const auto bytes = number_in(root + folder + name);
    if (!bytes || *bytes <= 0 || *bytes >= no_limit || (least && *bytes >= least->bytes)) continue;
    least = MemoryLimit{*bytes, swap_of(root + folder, group->version_2, *bytes), folder};
  }
  return least;
}

HostMemory host_memory(const std::string& root) {
  HostMemory memory;
  constexpr std::int64_t kibibyte = 1024;
  std::istringstream lines(file_text(root + "/proc/meminfo"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t value = 0;
    if (!(fields >> name >> value)) continue;
    if (name == "MemTotal:") memory.total = value * kibibyte;
    if (name == "MemAvailable:") memory.available = value * kibibyte;
    if (name == "SwapFree:") memory.swap_free = value * kibibyte;
  }
  return memory;
}

}  // namespace tradewind::launcher
