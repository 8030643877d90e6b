#include "worker/runner/outlook.h"

#include <optional>
#include <utility>

#include "worker/runner/rollout.h"

namespace tradewind::runner {

outputs::Outlook outlook_of(const outputs::Output& output, outputs::State initial, const checkpoint::Metadata& metadata,
                            Duration lead_time, const std::vector<outputs::Accumulate>& accumulations) {
  outputs::Outlook outlook;
  const auto add = [&](outputs::State state) {
    for (const outputs::Accumulate& accumulate : accumulations) accumulate.describe(state);
    outlook.states.push_back(std::move(state));
  };
  const Time base = initial.base;
  initial.values = at::Tensor();
  if (output.wants(Duration::zero())) {
    add(std::move(initial));
    ++outlook.count;
  }
  // Steps differ in their numbers only: those between the first and the last are like them.
  std::optional<outputs::State> last;
  const int calls = model_calls(lead_time, metadata.time.rollout_shift);
  Duration previous{};
  bool first = true;
  for (int call = 0; call < calls; ++call) {
    for (const Duration offset : metadata.time.output_offsets) {
      const Duration step = metadata.time.rollout_shift * call + offset;
      if (step <= lead_time && output.wants(step)) {
        outputs::State state{base, step, previous, metadata.output, {}, {}};
        if (first)
          add(std::move(state));
        else
          last = std::move(state);
        first = false;
        ++outlook.count;
      }
      previous = step;
    }
  }
  if (last) add(std::move(*last));
  return outlook;
}

}  // namespace tradewind::runner
