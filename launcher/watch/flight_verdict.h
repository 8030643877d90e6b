// Who holds up collectives, from what the flight recorders of all ranks have noted: the records are laid side by side,
// process group by process group and number by number. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/flight/record.h"
#include "launcher/watch/verdict.h"

namespace tradewind::launcher {

struct FlightVerdict {
  Verdict verdict;  // outlier, disagreement, missing or network
  std::string group;
  std::int64_t sequence = 0;
  std::int64_t since_ns = 0;  // since 1970: when the first rank that waits came to it; 0: not told
};

// `records`: those that there are, each with its rank; `world_size` 0: the largest rank that any of them knows.
// Nothing when no rank waits in a collective, and none made another call than the rest.
std::optional<FlightVerdict> align(const std::vector<FlightRecord>& records, int world_size = 0);

// Why the connections of a program broke: ranks that made different collectives; or the one rank without a record which
// got data of another size than it expected (`misled`), when all others agree; or ranks that had left (`done`)
// while others waited. Nothing when the records do not tell.
std::optional<Verdict> why_broken(const std::vector<FlightRecord>& records, int world_size, std::optional<int> misled,
                                  const std::vector<int>& done);

// The newest collective of a rank that it still waits in; nothing when it waits in none.
const FlightEntry* waits_in(const FlightRecord& record);
// `all_reduce of [Float] [[4, 3]]`
std::string text_of(const FlightEntry& entry);

}  // namespace tradewind::launcher
