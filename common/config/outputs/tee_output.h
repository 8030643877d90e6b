// Output `tee`: every state to several outputs.
#pragma once

#include <vector>

#include "common/config/nodes/uses.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct OutputConfig;

struct TeeOutputConfig {
  std::vector<OutputConfig> outputs;          // at least one
  std::vector<FilterConfig> post_processors;  // once for all; they see every state

  static constexpr const char* kind = "tee";
  static constexpr bool splits = false;
  static TeeOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
