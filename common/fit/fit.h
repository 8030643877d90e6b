// Whether a configuration fits its checkpoint: every name in it means something there, and every time is one that the
// forecast comes to. Pure; what does not fit is noted in `findings`, with place and remedy.
#pragma once

#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/config/load.h"
#include "common/config/run_config.h"

namespace tradewind {

// `metadata`, of each dataset, has the configuration's patch_metadata merged in. What datasets share must mean
// something to one of them.
void check_fit(const config::RunConfig& config, const config::ConfigDocument& document,
               const std::vector<checkpoint::Metadata>& metadata, config::Findings& findings);

}  // namespace tradewind
