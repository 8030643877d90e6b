// Input `grib`: files of GRIB messages.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/filters/pre_processors.h"
#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct NamerRule {
  std::vector<std::pair<std::string, std::string>> match;  // GRIB key -> value, all must be equal
  std::string name;                                        // template with {key}
  bool operator==(const NamerRule&) const = default;
};

struct GribInputConfig {
  std::string path;  // file, folder or glob
  std::vector<NamerRule> namer;
  Origin path_at = {};
  std::vector<PreProcessor> pre_processors = {};

  static constexpr const char* kind = "grib";
  static GribInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
  bool operator==(const GribInputConfig&) const = default;
};

}  // namespace tradewind::config
