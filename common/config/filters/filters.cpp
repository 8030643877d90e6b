#include "common/config/filters/filters.h"

#include "common/config/nodes/kinds.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::config {
namespace {

// What the reference has and this build has not stands here.
const Kinds& post_kinds() {
  static const Kinds kinds{
      "post-processor",
      kind_names<FilterConfig>(),
      {"backward_transform_filter", "extract_from_state", "forward_transform_filter", "undo_coordinate_reorder"},
      {}};
  return kinds;
}

// None is built, so nothing is listed as supported.
const std::vector<std::string>& pre_processor_names() {
  static const std::vector<std::string> names{"coordinate_reorder",       "extract_mask", "extract_slice",
                                              "forward_transform_filter", "mask",         "no_missing_values"};
  return names;
}

}  // namespace

void FilterConfig::uses(Uses& uses) const {
  std::visit([&](const auto& kind) { kind.uses(uses); }, static_cast<const FilterKinds&>(*this));
}

std::vector<FilterConfig> parse_post_processors(const Node& node, const std::string& key, Findings& findings) {
  std::vector<FilterConfig> parsed;
  std::size_t index = 0;
  for (const Node& item : as_list(node, key).items) {
    const std::string item_key = key + "." + std::to_string(index++);
    findings.attempt(
        [&] { parsed.push_back(parse_kind<FilterConfig>(as_component(item, item_key), post_kinds(), findings)); });
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
