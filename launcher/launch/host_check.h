// Whether the ranks of a run fit on this host, before any is started: CPUs and memory. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/launch/cpus.h"
#include "launcher/watch/control_group.h"

namespace tradewind::launcher {

// A warning when so many ranks outnumber the CPUs, or the CPU time, that they may use; else empty.
std::string crowd_warning(int ranks, std::size_t cpus, const Quota& quota);

// What the ranks of this host will need, as estimated (common/checkpoint/memory_estimate.h), in bytes.
struct MemoryNeed {
  int ranks = 1;                     // on this host
  std::int64_t own = 0, mapped = 0;  // of each; of the file's weights, which all share and the kernel may drop
};

// The estimate is right to a few percent where it has been measured, but not everywhere: what certainly cannot fit
// (three quarters of it are more than limit and swap) is an EnvironmentFault with both numbers, what may not fit a
// warning; else empty.
std::string check_memory(const MemoryNeed& need, const std::optional<MemoryLimit>& limit, const HostMemory& host);

}  // namespace tradewind::launcher
