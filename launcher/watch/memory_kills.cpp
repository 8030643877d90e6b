#include "launcher/watch/memory_kills.h"

#include <fstream>
#include <sstream>
#include <string_view>

#include "launcher/watch/control_group.h"

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
  const auto group = control_group(pid, "memory", root_);
  if (!group) return;
  version_2_ = group->version_2;
  folder_ = group->folder;
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
