// Putting configurations together: defaults under the user's file, then overrides `key=value` on top.
// Pure functions on nodes. Errors: UserError naming the place of what does not fit.
#pragma once

#include <string>

#include "common/config/node.h"

namespace tradewind::config {

// Maps are merged key by key, anything else replaces; a list never meets a map.
void merge_over(Node& base, const Node& over);

// `a.b[0].c=value` or `a.b.0.c=value`, the value in YAML. A number is an index of a list that is there (its length
// appends, more is an error) and a key of a map; missing maps are made. A map given as value is merged into a map that
// is there, except for `{}`, which empties it; a list replaces.
void apply_override(Node& root, const std::string& text);

}  // namespace tradewind::config
