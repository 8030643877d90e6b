// Words for what a rank is at. Pure.
#pragma once

#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

// `rank 3`, `ranks 1, 2 and 3`
std::string ranks_text(const std::vector<int>& ranks);
// `all_to_all of Float (12, 64) at 'decoder halo'`
std::string call_text(const proto::Collective& call);
// `phase step 3/40 in 'processor layer 7', 2 collectives done, state S (futex_wait)`
std::string place_text(const proto::RankSample& sample);

}  // namespace tradewind::launcher
