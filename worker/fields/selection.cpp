#include "worker/fields/selection.h"

#include <algorithm>

#include "common/errors.h"
#include "common/fit/selected.h"

namespace tradewind::fields {

bool is_selected(const std::optional<config::VariableSelection>& selection, const std::string& name,
                 const checkpoint::Metadata& metadata) {
  if (!selection) return true;
  const bool any = std::any_of(selection->patterns.begin(), selection->patterns.end(),
                               [&](const auto& pattern) { return fit::matches(pattern, name, metadata); });
  return any != selection->drop;
}

bool is_due(const config::OutputCommon& own, bool write_initial_state, std::optional<Duration> frequency,
            Duration step) {
  if (step == Duration::zero()) return own.write_initial_state.value_or(write_initial_state);
  if (own.output_frequency) frequency = own.output_frequency;
  return !frequency || *frequency == Duration::zero() || step % *frequency == Duration::zero();
}

void refuse_nothing(const config::OutputCommon& own, const Due& due, const std::string& key) {
  if (due.states.empty())
    throw UserError("nothing would be written: no state is due", key,
                    "set `write_initial_state: true`, or an `output_frequency` within the lead time");
  if (own.variables)
    throw UserError("nothing would be written: no variable of the forecast is selected", key + ".variables",
                    "`tradewind inspect CHECKPOINT` lists the variables; forcings that are computed are not written");
  throw UserError("nothing would be written: no variable of the states can be", key,
                  "see `negative_step_mode` and `initial_state_categories`");
}

}  // namespace tradewind::fields
