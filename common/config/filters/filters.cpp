#include "common/config/filters/filters.h"

#include "common/config/nodes/kinds.h"
#include "common/config/nodes/reader.h"

namespace tradewind::config {
namespace {

// What the reference has and this build has not stands here.
const Kinds& post_kinds() {
  static const Kinds kinds{
      "post-processor", kind_names<FilterConfig>(), {"extract_from_state", "undo_coordinate_reorder"}, {}};
  return kinds;
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

}  // namespace tradewind::config
