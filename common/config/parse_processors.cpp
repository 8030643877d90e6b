#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"
#include "common/nearest.h"

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

AccumulateFromStart parse_accumulate(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key, {"accumulations", "allow_negative"}, findings);
  AccumulateFromStart accumulate;
  accumulate.at = {component.key, component.where.text()};
  reader.take_set("accumulations", [&](const Node& node, const std::string& key) {
    accumulate.accumulations = as_texts(node, key);
    for (const Node& item : node.items)
      accumulate.accumulations_at.push_back(
          {key + "." + std::to_string(accumulate.accumulations_at.size()), item.where.text()});
  });
  reader.take_set("allow_negative",
                  [&](const Node& node, const std::string& key) { accumulate.allow_negative = as_boolean(node, key); });
  return accumulate;
}

}  // namespace

std::vector<PostProcessorConfig> parse_post_processors(const Node& node, const std::string& key, Findings& findings) {
  std::vector<PostProcessorConfig> parsed;
  std::size_t index = 0;
  for (const Node& item : as_list(node, key).items) {
    const std::string item_key = key + "." + std::to_string(index++);
    findings.attempt([&] {
      const Component component = as_component(item, item_key);
      if (!component.is("accumulate_from_start_of_forecast")) refuse(component, post_kinds());
      parsed.emplace_back(parse_accumulate(component, findings));
    });
  }
  return parsed;
}

void refuse_pre_processors(const Node& node, const std::string& key, Findings& findings) {
  std::size_t index = 0;
  for (const Node& item : as_list(node, key).items) {
    const std::string item_key = key + "." + std::to_string(index++);
    findings.attempt([&] {
      const Component component = as_component(item, item_key);
      const bool known = holds(pre_processor_names(), component.name);
      throw UserError((known ? "" : "unknown ") + std::string("pre-processor '") + clipped(component.name) + "'" +
                          (known ? " is not supported by this build" : ""),
                      component.where.text(),
                      (known ? std::string() : did_you_mean(component.name, pre_processor_names())) +
                          "this build has no pre-processors: prepare the input beforehand");
    });
  }
}

}  // namespace tradewind::config
