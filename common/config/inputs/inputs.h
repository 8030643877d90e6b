// Where fields come from: one of these kinds; some are made of others. Plain values.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "common/config/inputs/grib_input.h"
#include "common/config/inputs/made_inputs.h"
#include "common/config/inputs/repeated_dates.h"
#include "common/config/nodes/reader.h"

namespace tradewind::config {

// The table of kinds (kinds.h).
using InputKinds = std::variant<GribInputConfig, DummyInputConfig, EmptyInputConfig, RepeatedDatesConfig>;

struct InputConfig : InputKinds {
  using InputKinds::InputKinds;
  void uses(Uses& uses) const;
};

// An input below another one, and one that may be given per dataset. UserError for a kind that is not built.
InputConfig parse_input(const Node& node, const std::string& key, Findings& findings);
InputConfig parse_input(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                        Findings& findings);

// Options that the reference has for every input and this build for none: `variables`, `purpose`.
void refuse_common(const MapReader& reader);

}  // namespace tradewind::config
