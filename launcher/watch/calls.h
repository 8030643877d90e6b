// Whether all ranks make the same collectives: by their numbers, operations, dtypes, shapes and, between each two
// ranks, the rows that one sends and the other expects. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

struct CallDifference {
  std::uint64_t sequence = 0;  // of the first call that differs, as far as is known
  std::vector<int> outliers;   // of a minority; empty when no majority says who is wrong
  std::string what;
  std::vector<std::string> evidence;
};
std::optional<CallDifference> compare_calls(const std::vector<proto::RankSample>& samples);

}  // namespace tradewind::launcher
