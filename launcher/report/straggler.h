// The rank that the others wait for, of a run that is done: slower in its own work than they are, so that they stand
// still in collectives until it comes. Named in the summary, never stopped. Pure.
#pragma once

#include <optional>
#include <string>

#include "launcher/supervisor/outcome.h"

namespace tradewind::launcher {

struct Straggler {
  int rank = 0;
  std::string host;
  double seconds_per_step = 0;         // of its own work
  double others_seconds_per_step = 0;  // the same of the other ranks: their median
  double cost_per_step = 0;            // by so much a step would be shorter, were it like them
};

// By the figures that the ranks give of themselves (proto/PROTOCOL.md, `figures`): one rank computes at least half as
// long again as the median of the others, that costs the run at least a second, and every other rank waited at least
// half of that longer than it did, which tells a rank that is late from one that has more rows and is waited for by
// nobody. Nullopt when there is none, for one rank, and for runs that are not done.
std::optional<Straggler> straggler_of(const Outcome& outcome);

std::string text_of(const Straggler& straggler);
proto::Json to_json(const Straggler& straggler);

}  // namespace tradewind::launcher
