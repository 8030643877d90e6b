// Output `raw`: one compressed .npz of NumPy per state.
#pragma once

#include <string>

#include "common/config/nodes/uses.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct RawOutputConfig {
  OutputCommon common;
  std::string dir;
  std::string file_template = "{date}.npz";  // in it: {date}, {basetime}, {step}
  std::string strftime = "%Y%m%d%H%M%S";     // of {date} and {basetime}
  Origin dir_at;

  static constexpr const char* kind = "raw";
  static constexpr bool splits = false;
  static RawOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
