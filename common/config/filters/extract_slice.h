// Post-processor `extract_slice`: some of the grid's points, as Python's slice(start, stop, step) picks them.
#pragma once

#include <cstdint>
#include <optional>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct ExtractSlice {
  std::optional<std::int64_t> start, stop;  // negative: from the end
  std::int64_t step = 1;                    // at least 1
  Origin at;

  static constexpr const char* kind = "extract_slice";
  static ExtractSlice parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
};

}  // namespace tradewind::config
