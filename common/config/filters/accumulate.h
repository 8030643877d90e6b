// Post-processor `accumulate_from_start_of_forecast`: what falls in a step becomes what fell since the start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct AccumulateFromStart {
  std::optional<std::vector<std::string>> accumulations;  // default: every variable whose process is accumulation
  bool allow_negative = false;
  Origin at;
  std::vector<Origin> accumulations_at;  // of each of them

  static constexpr const char* kind = "accumulate_from_start_of_forecast";
  static AccumulateFromStart parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
