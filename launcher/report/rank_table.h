// The figures of every rank on one screen, for --verbose: a line per rank, then the traffic of all ranks by phase.
// Pure. What a rank has not told is shown as `-`.
#pragma once

#include <string>

#include "launcher/supervisor/outcome.h"

namespace tradewind::launcher {

// Empty when no rank told anything. Of many ranks the first ones, and how many are left out.
std::string rank_table(const Outcome& outcome, std::size_t most_ranks = 32);

}  // namespace tradewind::launcher
