// What a forecast is going to come to, for its output to look at before the first step. Pure.
#pragma once

#include "common/checkpoint/metadata.h"
#include "worker/fields/state.h"

namespace tradewind::runner {

// `initial`: the state of step 0; its values are not looked at.
fields::Outlook outlook_of(fields::State initial, const checkpoint::Metadata& metadata, Duration lead_time);

}  // namespace tradewind::runner
