#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& post_kinds() {
  static const Kinds kinds{"post-processor",
                           {"accumulate_from_start_of_forecast"},
                           {"assign_mask", "backward_transform_filter", "extract_from_state", "extract_mask",
                            "extract_slice", "forward_transform_filter", "undo_coordinate_reorder"}};
  return kinds;
}

// None is built, so nothing is listed as supported.
const std::vector<std::string>& pre_processor_names() {
  static const std::vector<std::string> names{"coordinate_reorder",       "extract_mask", "extract_slice",
                                              "forward_transform_filter", "mask",         "no_missing_values"};
  return names;
}

}  // namespace

std::vector<PostProcessorConfig> parse_post_processors(const Node& node, const std::string& key) {
  std::vector<PostProcessorConfig> parsed;
  for (const Node& item : as_list(node, key).items) {
    const Component component = as_component(item, key + "." + std::to_string(parsed.size()));
    if (!component.is("accumulate_from_start_of_forecast")) refuse(component, post_kinds());
    const MapReader reader(component.options(""), component.key, {"accumulations", "allow_negative"});
    AccumulateFromStart accumulate;
    if (const Node* names = reader.find_set("accumulations")) {
      accumulate.accumulations = as_texts(*names, reader.path("accumulations"));
    }
    if (const Node* allow = reader.find_set("allow_negative")) {
      accumulate.allow_negative = as_boolean(*allow, reader.path("allow_negative"));
    }
    parsed.emplace_back(std::move(accumulate));
  }
  return parsed;
}

void refuse_pre_processors(const Node& node, const std::string& key) {
  const Node& list = as_list(node, key);
  if (list.items.empty()) return;
  const Component component = as_component(list.items.front(), key + ".0");
  const bool known = holds(pre_processor_names(), component.name);
  throw UserError((known ? "" : "unknown ") + std::string("pre-processor '") + component.name + "'" +
                      (known ? " is not supported by this build" : ""),
                  component.where.text(), "this build has no pre-processors: prepare the input beforehand");
}

}  // namespace tradewind::config
