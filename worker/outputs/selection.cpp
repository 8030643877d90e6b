#include "worker/outputs/selection.h"

#include <fnmatch.h>

#include <algorithm>

#include "common/errors.h"
#include "worker/grib/namer.h"

namespace tradewind::outputs {
namespace {

bool glob_matches(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

bool matches(const config::VariablePattern& pattern, const std::string& name, const checkpoint::Metadata& metadata) {
  if (pattern.mars.empty()) return glob_matches(pattern.glob, name);
  const auto variable = metadata.variables.find(name);
  if (variable == metadata.variables.end()) return false;
  return std::all_of(pattern.mars.begin(), pattern.mars.end(), [&](const auto& entry) {
    const auto value = variable->second.mars.find(entry.first);
    if (value == variable->second.mars.end()) return false;
    const std::string text = grib::plain_text(*value);
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [&](const std::string& glob) { return glob_matches(glob, text); });
  });
}

}  // namespace

bool is_selected(const std::optional<config::VariableSelection>& selection, const std::string& name,
                 const checkpoint::Metadata& metadata) {
  if (!selection) return true;
  const bool any = std::any_of(selection->patterns.begin(), selection->patterns.end(),
                               [&](const auto& pattern) { return matches(pattern, name, metadata); });
  return any != selection->drop;
}

bool is_due(const config::OutputCommon& own, bool write_initial_state, std::optional<Duration> frequency,
            Duration step) {
  if (step == Duration::zero()) return own.write_initial_state.value_or(write_initial_state);
  if (own.output_frequency) frequency = own.output_frequency;
  return !frequency || *frequency == Duration::zero() || step % *frequency == Duration::zero();
}

void refuse_nothing(const config::OutputCommon& own, const Outlook& outlook, const std::string& place) {
  if (outlook.states.empty())
    throw UserError("nothing would be written: no state is due", place,
                    "set `write_initial_state: true`, or an `output_frequency` within the lead time");
  if (own.variables)
    throw UserError("nothing would be written: no variable of the forecast is selected", place + ".variables",
                    "`tradewind inspect CHECKPOINT` lists the variables; forcings that are computed are not written");
  throw UserError("nothing would be written: no variable of the states can be", place,
                  "see `negative_step_mode` and `initial_state_categories`");
}

}  // namespace tradewind::outputs
