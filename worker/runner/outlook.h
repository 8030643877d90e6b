// Which states a forecast is going to write, for its output to look at before the first step. Pure.
#pragma once

#include <vector>

#include "common/checkpoint/metadata.h"
#include "worker/outputs/accumulate.h"
#include "worker/outputs/output.h"

namespace tradewind::runner {

// `initial`: the state of step 0; its values are not looked at.
outputs::Outlook outlook_of(const outputs::Output& output, outputs::State initial, const checkpoint::Metadata& metadata,
                            Duration lead_time, const std::vector<outputs::Accumulate>& accumulations);

}  // namespace tradewind::runner
