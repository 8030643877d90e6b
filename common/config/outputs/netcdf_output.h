// Output `netcdf`: all states in one NetCDF-4 file.
#pragma once

#include <limits>
#include <string>

#include "common/config/nodes/uses.h"
#include "common/config/outputs/output_common.h"

namespace tradewind::config {

struct NetcdfOutputConfig {
  OutputCommon common;
  std::string path;
  bool doubles = false;                                             // float_size f8 instead of f4
  double missing_value = std::numeric_limits<double>::quiet_NaN();  // where a variable has no value
  Origin path_at;

  static constexpr const char* kind = "netcdf";
  static constexpr bool splits = false;
  static NetcdfOutputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
