// What changes fields on their way out of an input (pre-processors): one of these kinds. Plain values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/config/filters/transforms.h"

namespace tradewind::config {

struct NoMissingValues {  // missing values become the mean of their field's others
  static constexpr const char* kind = "no_missing_values";
  Origin at = {};
  static NoMissingValues parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const NoMissingValues&) const = default;
};

// The table of kinds (kinds.h).
using PreProcessorKinds = std::variant<ForwardTransform, NoMissingValues>;
struct PreProcessor : PreProcessorKinds {
  using PreProcessorKinds::PreProcessorKinds;
  void uses(Uses& uses) const;
};

// In the order in which they are applied.
std::vector<PreProcessor> parse_pre_processors(const Node& node, const std::string& key, Findings& findings);

}  // namespace tradewind::config
