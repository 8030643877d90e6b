// What the NVIDIA driver has written to the kernel's log about a GPU in trouble: `NVRM: Xid (PCI:0000:3b:00): 79, ...`,
// where this process may read the log. The form: docs.nvidia.com, "Xid Errors". Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::launcher {

// From `Xid` on, at most 200 characters; nullopt when the line tells of none.
std::optional<std::string> xid_of(std::string_view line);

// One record of /dev/kmsg: `priority,sequence,microseconds,flags;text`, then lines of further keys. The form: the
// kernel's Documentation/ABI/testing/dev-kmsg.
struct KernelRecord {
  std::int64_t microseconds = 0;  // since the host started
  std::string text;
};
std::optional<KernelRecord> kernel_record_of(std::string_view record);

// Those since `begin` (microseconds since the host started) in a log of which each read gives a record. Never waits.
std::vector<std::string> xids_of(int log, std::int64_t begin);
// Those of this host; none where its log cannot be read.
std::vector<std::string> xids_since(std::int64_t begin);
std::int64_t microseconds_since_boot();

}  // namespace tradewind::launcher
