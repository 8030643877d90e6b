// Control groups of Linux, versions 1 and 2: what they let a process have. A group's limit holds for all that is below
// it, so each is asked from the process's own group up to the top of what is mounted here.
// The files: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/. Thread-safe: reads files.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tradewind::launcher {

struct ControlGroup {
  std::string folder;  // its own, below the mount point
  std::string mount;   // where its hierarchy is mounted, the folder of the topmost group seen here
  bool version_2 = false;

  // Its own folder first, then those of the groups above it.
  std::vector<std::string> upwards() const;
};

// The group of that process (0: this one) which governs `controller` (cpu, memory): in the version 1 hierarchy of that
// controller where there is one, else in the unified one. `root` stands for / in tests.
std::optional<ControlGroup> control_group(pid_t pid, const std::string& controller, const std::string& root = "");

// A limit and the folder of the group that sets it.
struct CpuQuota {
  double cpus = 0;  // CPU time that may be used in each second
  std::string group;
};
// The least of the group and those above it: cpu.max, or cpu.cfs_quota_us / cpu.cfs_period_us.
std::optional<CpuQuota> cpu_quota(pid_t pid = 0, const std::string& root = "");

struct MemoryLimit {
  std::int64_t bytes = 0;
  std::int64_t swap_bytes = 0;  // that may be used beside it
  std::string group;
};
// The least of the group and those above it: memory.max, or memory.limit_in_bytes.
std::optional<MemoryLimit> memory_limit(pid_t pid = 0, const std::string& root = "");

// Of /proc/meminfo, in bytes; 0: not known.
struct HostMemory {
  std::int64_t total = 0, available = 0, swap_free = 0;
};
HostMemory host_memory(const std::string& root = "");

}  // namespace tradewind::launcher
