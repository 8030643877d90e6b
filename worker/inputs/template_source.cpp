#include "worker/inputs/template_source.h"

namespace tradewind::inputs {

std::shared_ptr<const grib::TemplateSet> templates_of(Input& input, const std::vector<std::string>& variables) {
  if (auto* source = dynamic_cast<TemplateSource*>(&input)) return source->templates(variables);
  auto all = std::make_shared<grib::TemplateSet>();
  std::vector<std::string> origins;
  for (const std::string& variable : variables) origins.push_back(input.origin_of(variable));
  for (Input* source : input.sources()) {
    const auto its = templates_of(*source, origins);
    for (std::size_t i = 0; i < variables.size(); ++i)
      if (const auto message = its->messages.find(origins[i]); message != its->messages.end())
        all->messages.emplace(variables[i], message->second);
  }
  return all;
}

}  // namespace tradewind::inputs
