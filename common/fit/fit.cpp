#include "common/fit/fit.h"

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

}  // namespace fit

void check_fit(const config::RunConfig& config, const config::ConfigDocument& document,
               const checkpoint::Metadata& metadata, config::Findings& findings) {
  fit::Case one{config, document, metadata, findings};
  fit::check_runner(one);
  fit::check_times(one);
  fit::check_selection(one);
  fit::check_names(one);
}

}  // namespace tradewind
