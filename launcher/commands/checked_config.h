// A configuration read and held against its checkpoint: everything that is wrong with both, found before anything
// starts.
#pragma once

#include <optional>

#include "common/checkpoint/checkpoint.h"
#include "common/config/load.h"
#include "common/env.h"

namespace tradewind::launcher {

struct CheckedConfig {
  config::ConfigDocument document;
  config::RunConfig config;
  config::Findings findings;                         // refusals, too: the caller may find more before it throws them
  std::optional<checkpoint::Checkpoint> checkpoint;  // of check_config(), when nothing in it stands in the way
};

// The configuration alone.
CheckedConfig read_config(const config::LoadRequest& request, const Environment& environment);
// And the files it names, and what the checkpoint has to say to it.
CheckedConfig check_config(const config::LoadRequest& request, const Environment& environment);

}  // namespace tradewind::launcher
