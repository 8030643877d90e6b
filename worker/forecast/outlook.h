// What a forecast is going to come to, for its output to look at before the first step. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "worker/fields/state.h"
#include "worker/forecast/plan.h"

namespace tradewind::forecast {

// Of the dataset with that number in the plan. `initial`: its state of step 0, whose values are not looked at;
// `variables`: of all others; none: there are no others, the dataset is only read.
fields::Outlook outlook_of(fields::State initial, const Plan& plan, std::size_t dataset,
                           const std::vector<std::string>& variables);

}  // namespace tradewind::forecast
