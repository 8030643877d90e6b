// What changes a state on its way to an output (post-processors): one of these kinds. Plain values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/config/filters/accumulate.h"
#include "common/config/filters/extract_slice.h"
#include "common/config/filters/masks.h"
#include "common/config/filters/transforms.h"

namespace tradewind::config {

// The table of kinds (kinds.h).
using FilterKinds =
    std::variant<AccumulateFromStart, ExtractSlice, ExtractMask, AssignMask, ForwardTransform, BackwardTransform>;

struct FilterConfig : FilterKinds {
  using FilterKinds::FilterKinds;
  void uses(Uses& uses) const;
};

// In the order in which they are applied.
std::vector<FilterConfig> parse_post_processors(const Node& node, const std::string& key, Findings& findings);

}  // namespace tradewind::config
