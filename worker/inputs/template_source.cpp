#include "worker/inputs/template_source.h"

namespace tradewind::inputs {

std::shared_ptr<const grib::TemplateSet> templates_of(Input& input, const std::vector<std::string>& variables) {
  if (auto* source = dynamic_cast<TemplateSource*>(&input)) return source->templates(variables);
  auto all = std::make_shared<grib::TemplateSet>();
  for (Input* source : input.sources()) {
    const auto its = templates_of(*source, variables);
    all->messages.insert(its->messages.begin(), its->messages.end());
  }
  return all;
}

}  // namespace tradewind::inputs
