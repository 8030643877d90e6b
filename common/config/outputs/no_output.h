// Output `none`: nothing is written, whatever stands there.
#pragma once

#include "common/config/nodes/uses.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct NoOutputConfig {
  static constexpr const char* kind = "none";
  static constexpr bool splits = false;
  static NoOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
};

}  // namespace tradewind::config
