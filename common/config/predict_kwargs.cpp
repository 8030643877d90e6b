// `predict_kwargs`: what a call of the model is given beside its input.
#include <algorithm>
#include <string>
#include <vector>

#include "common/config/parse.h"
#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::config {
namespace {

constexpr const char* kSchedule = "schedule_params";
constexpr const char* kSampler = "sampler_params";

sampling::Value value_of(const Node& node, const std::string& name) {
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.scalar.get<bool>();
    case Node::Kind::integer:
      return node.scalar.get<std::int64_t>();
    case Node::Kind::real:
      return node.scalar.get<double>();
    case Node::Kind::text:
      return node.text();
    default:
      throw UserError(quoted(name) + " must be a number, a text, true or false, not " + node.kind_text(),
                      node.where.text());
  }
}

sampling::Options parse_options(const Node& node, const std::string& key, sampling::Part part, Findings& findings) {
  sampling::Options options;
  for (const Node::Entry& entry : as_map(node, key).entries) {
    findings.attempt([&] {
      const std::vector<std::string> names = sampling::option_names(part);
      const bool known = std::find(names.begin(), names.end(), entry.key) != names.end();
      const std::string where = known ? entry.value.where.text() : entry.where.text();
      const sampling::Option option{known ? value_of(entry.value, key + "." + entry.key) : sampling::Value(), where};
      sampling::check(part, key + ".", entry.key, option);
      options.emplace(entry.key, option);
    });
  }
  return options;
}

// The reference calls the step of a model that takes no such option without it, and says nothing.
void warn_of(const Node::Entry& entry, const std::string& path, Findings& findings) {
  if (entry.key == "fcstep" || entry.key == "step" || entry.key == "date" || entry.key == "model_comm_group") {
    findings.warn(entry.where, quoted(path) + " is set by the run itself and left out");
    return;
  }
  const std::string meant = did_you_mean(entry.key, {kSchedule, kSampler});
  findings.warn(entry.where,
                quoted(path) + " has no effect: models take no such option" + (meant.empty() ? "" : "; " + meant));
}

}  // namespace

sampling::Choice parse_predict_kwargs(const Node& node, const std::string& key, Findings& findings) {
  sampling::Choice choice;
  for (const Node::Entry& entry : as_map(node, key).entries) {
    const std::string path = key + "." + entry.key;
    if (entry.key != kSchedule && entry.key != kSampler) {
      warn_of(entry, path, findings);
    } else if (!entry.value.is_null()) {
      const bool schedule = entry.key == kSchedule;
      findings.attempt([&] {
        (schedule ? choice.schedule : choice.sampler) =
            parse_options(entry.value, path, schedule ? sampling::Part::schedule : sampling::Part::sampler, findings);
      });
    }
  }
  return choice;
}

}  // namespace tradewind::config
