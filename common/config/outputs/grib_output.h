// Output `grib`: one message per variable and state, in one file or in as many as its path's keys make.
#pragma once

#include <string>
#include <vector>

#include "common/config/nodes/uses.h"
#include "common/config/outputs/grib_templates.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct GribOutputConfig {
  OutputCommon common;
  std::string path;                                               // {key[:format]} per message
  Json encoding = Json::object();                                 // GRIB keys for every message
  std::vector<TemplateConfig> templates;                          // empty: input, then builtin
  Json grib1_keys = Json::object(), grib2_keys = Json::object();  // param -> keys
  bool check_encoding = true;
  bool split_output = true;
  std::string negative_step_mode = "error";  // error, write, skip
  double missing_value = -9999;
  Origin path_at;
  std::vector<NameUse> keyed_params;  // of grib1_keys and grib2_keys

  static constexpr const char* kind = "grib";
  static constexpr bool splits = true;  // `parallel` can deal its fields out to several files
  static GribOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
