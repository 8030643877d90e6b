// Where fields come from: one of these kinds; some are made of others. Plain values.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "common/config/inputs/dataset_input.h"
#include "common/config/inputs/grib_input.h"
#include "common/config/inputs/made_inputs.h"
#include "common/config/inputs/repeated_dates.h"
#include "common/config/nodes/reader.h"

namespace tradewind::config {

// The table of kinds (kinds.h).
using InputKinds = std::variant<GribInputConfig, DummyInputConfig, EmptyInputConfig, RepeatedDatesConfig,
                                DatasetInputConfig, TestInputConfig, TrainingInputConfig, ValidationInputConfig>;

struct InputConfig : InputKinds {
  using InputKinds::InputKinds;
  void uses(Uses& uses) const;
};

// UserError for a kind that is not built.
InputConfig parse_input(const Node& node, const std::string& key, Findings& findings);
// What is given for datasets by their names (component.h).
std::vector<Node::Entry> inputs_by_dataset(const Node& node);

// Options that the reference has for every input and this build for none: `variables`, `purpose`.
void refuse_common(const MapReader& reader);

}  // namespace tradewind::config
