// Output `printer`: a few lines of text per state.
#pragma once

#include <optional>
#include <string>

#include "common/config/nodes/uses.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct PrinterOutputConfig {
  OutputCommon common;
  std::optional<std::string> path;  // default: standard output
  int max_lines = 4;                // -1: all
  Origin path_at;

  static constexpr const char* kind = "printer";
  static constexpr bool splits = false;
  static PrinterOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
