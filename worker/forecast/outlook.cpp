#include "worker/forecast/outlook.h"

#include <utility>

namespace tradewind::forecast {

fields::Outlook outlook_of(fields::State initial, const Plan& plan, std::size_t dataset,
                           const std::vector<std::string>& variables) {
  fields::Outlook outlook;
  outlook.initial = std::move(initial);
  outlook.initial.values = at::Tensor();
  outlook.forecast.base = plan.date();
  outlook.forecast.variables = variables;
  outlook.forecast.grid = outlook.initial.grid;
  for (int number = 0; number < plan.calls() && !variables.empty(); ++number) {
    const Call call = plan.call(number);
    for (const DueState& due : call.datasets.at(dataset).states) outlook.moments.push_back({due.step, due.previous});
  }
  if (!outlook.moments.empty()) outlook.forecast.step = outlook.moments.front().step;
  return outlook;
}

}  // namespace tradewind::forecast
