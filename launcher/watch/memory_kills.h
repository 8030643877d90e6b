// Whether the kernel ended a process because its control group ran out of memory: by the group's own count, since
// SIGKILL alone proves nothing. Control groups of versions 1 and 2. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace tradewind::launcher {

struct MemoryKill {
  std::int64_t limit_bytes = 0, peak_bytes = 0;  // 0: not known
  std::string group;
};

// `limit 512 MiB, peak 511 MiB, control group /job`
std::string text_of(const MemoryKill& kill);

class MemoryKills {
 public:
  // Reads the counts of the group in which that living process is. `root` stands for / in tests.
  explicit MemoryKills(pid_t pid, const std::string& root = "");
  // When the group's count has moved.
  std::optional<MemoryKill> since_start() const;
  // Somebody on this host was ended for memory, in whatever group: a hint, no proof.
  bool on_host_since_start() const;

 private:
  std::string root_, folder_;
  bool version_2_ = false;
  std::int64_t count_ = -1, host_count_ = -1;  // -1: cannot be read
};

}  // namespace tradewind::launcher
