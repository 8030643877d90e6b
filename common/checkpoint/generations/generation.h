// The generations of anemoi-models, told apart by what a tree holds (never by a version string), and the few facts that
// cannot be read from the attribute itself because a generation did not have the attribute yet.
// Where each generation keeps a thing is in paths.h; what a class may hold is in known.h. Pure, thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

struct Generation {
  std::string_view name;                     // versions of anemoi-models, e.g. "0.5-0.6"
  std::vector<std::string_view> has, lacks;  // dotted paths below the model; `*` is any one entry
  bool skip_is_implicit = false;             // no `residual`: the latest input is always added
  bool latent_skip_is_implicit = false;      // no `latent_skip`: always on
  bool has_no_boundings = false;             // boundings did not exist yet
  bool imputes_by_first_step = false;  // imputers without a buffer for their mask look at the first input time only
  bool output_has_time = true;         // the reference's y carries a time axis; else n_step_output is 1
};

// Newest first; the first that matches is the tree's.
const std::vector<Generation>& generations();

// UserError naming the tree's path and the generations known when none matches.
const Generation& detect_generation(const Node& model);

}  // namespace tradewind::checkpoint
