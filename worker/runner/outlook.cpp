#include "worker/runner/outlook.h"

#include <utility>

#include "worker/runner/rollout.h"

namespace tradewind::runner {

fields::Outlook outlook_of(fields::State initial, const checkpoint::Metadata& metadata, Duration lead_time) {
  fields::Outlook outlook;
  outlook.initial = std::move(initial);
  outlook.initial.values = at::Tensor();
  outlook.forecast.base = outlook.initial.base;
  outlook.forecast.variables = metadata.output;
  outlook.forecast.grid = outlook.initial.grid;
  const int calls = model_calls(lead_time, metadata.time.rollout_shift);
  Duration previous{};
  for (int call = 0; call < calls; ++call) {
    for (const Duration offset : metadata.time.output_offsets) {
      const Duration step = metadata.time.rollout_shift * call + offset;
      if (step <= lead_time) outlook.moments.push_back({step, previous});
      previous = step;
    }
  }
  return outlook;
}

}  // namespace tradewind::runner
