// A mask of points: a .npy file if one is there, else an array of the checkpoint. Pure but for what it reads.
#pragma once

#include <string>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

// One value per point. UserError naming the file or array when there is none, or when it is no list of booleans.
std::vector<bool> read_mask(const std::string& mask, const FilterContext& context, const config::Origin& at);

}  // namespace tradewind::filters
