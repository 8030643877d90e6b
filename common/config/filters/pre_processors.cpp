#include "common/config/filters/pre_processors.h"

#include "common/config/nodes/kinds.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

// What the reference has and this build has not stands here.
const Kinds& kinds() {
  static const Kinds pre{"pre-processor",
                         kind_names<PreProcessor>(),
                         {"coordinate_reorder", "extract_mask", "extract_slice", "mask"},
                         {{"mask", "write forward_transform_filter: {apply_mask: {...}}"}}};
  return pre;
}

// What a filter is told only after the model.
void refuse_options_of_outputs(const Component& component, Findings& findings) {
  if (!component.is(ForwardTransform::kind) || !component.argument.is_map()) return;
  for (const char* option : {"skip_initial_state", "use_forward"})
    if (const Node* given = component.argument.find(option))
      findings.refuse(UserError("`" + component.key + "." + option + "` has no meaning before the model",
                                given->where.text(), "leave it out, or give it to a post-processor"));
}

}  // namespace

NoMissingValues NoMissingValues::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {}, findings);
  return {.at = {component.key, component.where.text()}};
}

void PreProcessor::uses(Uses& uses) const {
  std::visit([&](const auto& kind) { kind.uses(uses); }, static_cast<const PreProcessorKinds&>(*this));
}

std::vector<PreProcessor> parse_pre_processors(const Node& node, const std::string& key, Findings& findings) {
  std::vector<PreProcessor> parsed;
  std::size_t index = 0;
  for (const Node& item : as_list(node, key).items) {
    const std::string item_key = key + "." + std::to_string(index++);
    findings.attempt([&] {
      const Component component = as_component(item, item_key);
      refuse_options_of_outputs(component, findings);
      parsed.push_back(parse_kind<PreProcessor>(component, kinds(), findings));
    });
  }
  return parsed;
}

}  // namespace tradewind::config
