// Which rank of a program holds the others up, from what is seen of each from outside: the strongest evidence first.
// Pure.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "launcher/watch/program_place.h"
#include "launcher/watch/verdict.h"

namespace tradewind::launcher {

struct ProgramView {
  Testimony testimony;
  ProgramPlace place;
  bool busy = false;         // it has used processor time lately, and not in a collective
  bool spins = false;        // it uses processor time in a collective, or while it waits for its device
  bool same_record = false;  // its flight recorder holds what it held at the look before
};

// `computing`: for how long a rank that is busy may keep others waiting is over. Nothing when what is seen may be a
// healthy run: nobody waits for anybody, or for one that computes.
std::optional<Verdict> judge_programs(const std::vector<ProgramView>& views, bool computing);

}  // namespace tradewind::launcher
