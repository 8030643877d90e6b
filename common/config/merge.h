// Putting configurations together: defaults under the user's file, then overrides `key=value` on top.
// Pure functions on nodes, but that an override's value may be a path that is there. Errors: UserError naming the place
// of what does not fit.
#pragma once

#include <string>

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"

namespace tradewind::config {

// Maps are merged key by key, anything else replaces; a list never meets a map.
void merge_over(Node& base, const Node& over);

// `a.b[0].c=value` or `a.b.0.c=value`, the value in YAML. A number is an index of a list that is there (its length
// appends, more is an error) and a key of a map; missing maps are made. A map given as value is merged into a map that
// is there, except for `{}`, which empties it; a list replaces. The path of a file or folder that is there is taken as
// it stands where YAML would make something else of it: `input.grib=run #1/a.grib`. Warns of what YAML takes for a
// comment.
void apply_override(Node& root, const std::string& text, Findings& findings);
// How locations name it.
std::string override_place(const std::string& text);

}  // namespace tradewind::config
