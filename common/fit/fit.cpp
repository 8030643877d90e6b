#include "common/fit/fit.h"

#include <algorithm>
#include <string>

#include "common/fit/parts.h"

namespace tradewind {
namespace fit {

const config::Location& Case::where(const std::string& key) const {
  const config::Node* node = document.root.find(key);
  return node == nullptr ? document.root.where : node->where;
}

void refuse(Case& one, const config::Origin& at, const std::string& what, const std::string& remedy) {
  one.findings.refuse(UserError(what, at.where, remedy));
}

void warn(Case& one, const config::Origin& at, const std::string& what) {
  one.findings.warn(config::location_of(at.where), what);
}

// Only what a user named is held against the task: `auto` takes the one that the checkpoint is for.
void check_runner(Case& one) {
  const bool downscales = one.metadata.time.between_inputs;
  const std::string& name = one.config.runner.name;
  const config::Location& where = one.where("runner");
  if (name == "temporal_downscaler" && !downscales) {
    one.findings.refuse(
        UserError("the runner temporal_downscaler needs a checkpoint of a temporal downscaler; the "
                  "task of this one is " +
                      one.metadata.task,
                  where.text(), "write runner: auto"));
  }
  if (!downscales) return;
  if (name == "forecaster" || name == "no-model") {
    one.findings.refuse(UserError("the runner " + name + " cannot run a temporal downscaler", where.text(),
                                  "write runner: temporal_downscaler, or auto"));
  }
  if (!one.config.date) {
    one.findings.refuse(UserError("a temporal downscaler needs the date of the forecast that it refines",
                                  one.document.root.where.text(), "set `date`"));
  }
  if (one.document.root.find("initial_state_categories") != nullptr) {
    one.findings.refuse(
        UserError("`initial_state_categories` has no effect on a temporal downscaler, whose first "
                  "state is of its prognostic variables",
                  one.where("initial_state_categories").text(), "leave it out"));
  }
}

namespace {

void add(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// What all datasets know together; times are the same for all.
checkpoint::Metadata in_one(const std::vector<checkpoint::Metadata>& metadata) {
  checkpoint::Metadata whole = metadata.front();
  for (const checkpoint::Metadata& other : metadata) {
    add(whole.input, other.input);
    add(whole.output, other.output);
    add(whole.forcing, other.forcing);
    whole.variables.insert(other.variables.begin(), other.variables.end());
    whole.arrays.insert(other.arrays.begin(), other.arrays.end());
  }
  return whole;
}

void check_view(Case one) {
  check_times(one);
  check_selection(one);
  check_names(one);
}

}  // namespace
}  // namespace fit

void check_fit(const config::RunConfig& config, const config::ConfigDocument& document,
               const std::vector<checkpoint::Metadata>& metadata, config::Findings& findings) {
  const checkpoint::Metadata whole = fit::in_one(metadata);
  std::vector<std::string> names;
  bool own_outputs = false;
  for (const checkpoint::Metadata& one : metadata) {
    names.push_back(one.dataset);
    const auto found = config.datasets.find(one.dataset);
    own_outputs = own_outputs || (found != config.datasets.end() && found->second.output);
  }
  if (!own_outputs) fit::check_view({config, document, whole, whole, findings});
  for (const checkpoint::Metadata& one : metadata) {
    const config::RunConfig view = config::for_dataset(config, one.dataset);
    fit::Case own{view, document, one, whole, findings};
    if (own_outputs) fit::check_view(own);
    fit::check_patch(own);
  }
  fit::Case all{config, document, whole, whole, findings};
  fit::check_runner(all);
  fit::check_datasets(all, names);
}

}  // namespace tradewind
