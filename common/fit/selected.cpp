#include "common/fit/selected.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "common/fit/filtered.h"
#include "common/fit/parts.h"
#include "common/nearest.h"

namespace tradewind::fit {
namespace {

bool glob_matches(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

std::string shown(const config::VariablePattern& pattern) {
  std::string text;
  if (pattern.mars.empty()) return text.append("'").append(config::clipped(pattern.glob)).append("'");
  text = "{";
  for (const auto& [key, values] : pattern.mars) {
    text += text.size() > 1 ? ", " : "";
    text += key + ": ";
    for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : "/") + values[i];
  }
  return config::clipped(text + "}");
}

bool is_name(const config::VariablePattern& pattern) {
  return pattern.mars.empty() && pattern.glob.find_first_of("*?[") == std::string::npos;
}

// What the forecast writes: the model's output, and at step 0 the chosen categories.
std::set<std::string> written(const Case& one) {
  std::set<std::string> names(one.metadata.output.begin(), one.metadata.output.end());
  if (one.metadata.time.between_inputs) return names;
  const auto& categories = one.config.initial_state_categories;
  for (const std::string& name : one.metadata.forcing) {
    const auto variable = one.metadata.variables.find(name);
    if (variable != one.metadata.variables.end() && variable->second.computed_forcing) continue;
    const bool constant = variable != one.metadata.variables.end() && variable->second.constant_in_time;
    const char* category = constant ? "constant_forcings" : "dynamic_forcings";
    if (std::find(categories.begin(), categories.end(), category) != categories.end()) names.insert(name);
  }
  return names;
}

// A pattern that means nothing that is written. `needed`: without it the output would not be what was asked for.
// Returns whether it was refused.
bool check_pattern(Case& one, const config::VariablePattern& pattern, bool drop, bool needed) {
  const std::string what = "`" + pattern.at.key + "`: " + shown(pattern);
  std::vector<std::string> known(one.metadata.output.begin(), one.metadata.output.end());
  if (!is_name(pattern)) {
    warn(one, pattern.at, what + " matches no variable that the forecast writes");
    return false;
  }
  if (std::find(known.begin(), known.end(), pattern.glob) != known.end()) {
    warn(one, pattern.at, what + " is taken away by the filters before this output");
    return false;
  }
  const auto& input = one.metadata.input;
  if (std::find(input.begin(), input.end(), pattern.glob) != input.end()) {
    warn(one, pattern.at, what + " is only an input of this checkpoint: it is not written" + (drop ? " anyway" : ""));
    return false;
  }
  const std::string hint =
      did_you_mean(pattern.glob, known) + "`tradewind inspect " + one.config.checkpoint + "` lists them";
  if (needed)
    refuse(one, pattern.at, what + " is no variable of this checkpoint", hint);
  else
    warn(one, pattern.at, what + " is no variable of this checkpoint: there is nothing to drop; " + hint);
  return needed;
}

// Of a filter that would change nothing there is something wrong.
void apply(Case& one, Filtered& filtered, const config::FilterConfig& filter) {
  const auto meant = filtered.apply(filter);
  if (!meant || *meant > 0) return;
  const auto origin = [](const auto& kind) -> config::Origin {
    if constexpr (requires { kind.at; })
      return kind.at;
    else
      return {};
  };
  const config::Origin at = std::visit(origin, static_cast<const config::FilterKinds&>(filter));
  warn(one, at, "`" + at.key + "` changes nothing: no variable that is there is what it means");
}

void check_variables(Case& one, const config::VariableSelection& selection, const std::set<std::string>& names) {
  std::set<std::string> meant;
  std::vector<const config::VariablePattern*> unmatched;
  for (const config::VariablePattern& pattern : selection.patterns) {
    bool any = false;
    for (const std::string& name : names) {
      if (!matches(pattern, name, one.metadata)) continue;
      any = true;
      meant.insert(name);
    }
    if (!any) unmatched.push_back(&pattern);
  }
  const bool needed = !selection.drop || meant.empty();
  bool refused = false;
  for (const config::VariablePattern* pattern : unmatched)
    refused = check_pattern(one, *pattern, selection.drop, needed) || refused;
  const bool nothing = selection.drop ? meant.size() == names.size() : meant.empty();
  if (nothing && !refused)
    refuse(one, selection.at, "`" + selection.at.key + "` leaves no variable to be written",
           "`tradewind inspect " + one.config.checkpoint + "` lists the variables");
}

}  // namespace

bool matches(const config::VariablePattern& pattern, const std::string& name, const checkpoint::Metadata& metadata) {
  if (pattern.mars.empty()) return glob_matches(pattern.glob, name);
  const auto variable = metadata.variables.find(name);
  if (variable == metadata.variables.end()) return false;
  return std::all_of(pattern.mars.begin(), pattern.mars.end(), [&](const auto& entry) {
    const auto value = variable->second.mars.find(entry.first);
    if (value == variable->second.mars.end()) return false;
    const std::string text = value->is_string() ? value->template get<std::string>() : value->dump();
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [&](const std::string& glob) { return glob_matches(glob, text); });
  });
}

void check_selection(Case& one) {
  Filtered of_run(one.metadata, written(one));
  for (const config::FilterConfig& filter : one.config.post_processors) apply(one, of_run, filter);
  for (const config::OutputLeaf& leaf : config::leaves_of(one.config.output)) {
    Filtered filtered = of_run;
    for (const config::FilterConfig* filter : leaf.filters) apply(one, filtered, *filter);
    if (leaf.common->variables) check_variables(one, *leaf.common->variables, filtered.names());
  }
}

std::set<std::string> made_by_filters(const Case& one) {
  Filtered of_run(one.metadata, written(one));
  for (const config::FilterConfig& filter : one.config.post_processors) of_run.apply(filter);
  std::set<std::string> names = of_run.names();
  for (const config::OutputLeaf& leaf : config::leaves_of(one.config.output)) {
    Filtered filtered = of_run;
    for (const config::FilterConfig* filter : leaf.filters) filtered.apply(*filter);
    names.merge(filtered.names());
  }
  return names;
}

}  // namespace tradewind::fit
