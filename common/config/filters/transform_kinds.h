// Filters of anemoi-transform that change fields by their parameter. Plain values. Where a filter says `param`, every
// level of that parameter is meant.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

// Mean wave direction in degrees, and its cosine and sine.
struct CosSinMeanWaveDirection {
  std::string direction = "mwd", cosine = "cos_mwd", sine = "sin_mwd";
  static constexpr const char* kind = "cos_sin_mean_wave_direction";
  static constexpr bool reversible = true;
  static CosSinMeanWaveDirection parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const CosSinMeanWaveDirection&) const = default;
};

// Sets NaN where a mask (a file, another field, or the field itself) has a value or passes a threshold.
struct ApplyMask {
  std::optional<std::string> path, field;  // of these and `of_itself` one
  bool of_itself = false;
  std::optional<double> value, threshold;  // one of them
  std::string comparison = ">";            // of the mask with the threshold
  std::optional<std::string> suffix;       // of the new params, after _
  std::vector<std::string> params;         // empty: all
  bool keeps_mask = false;                 // whether the mask's field stays
  Origin path_at = {};
  static constexpr const char* kind = "apply_mask";
  static constexpr bool reversible = false;
  static ApplyMask parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
  bool operator==(const ApplyMask&) const = default;
};

struct Rescale {  // x * scale + offset
  std::string param;
  double scale = 1, offset = 0;
  static constexpr const char* kind = "rescale";
  static constexpr bool reversible = true;
  static Rescale parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const Rescale&) const = default;
};

struct ImputeNans {  // missing values become this one
  std::vector<std::string> params;
  double value = 0;
  static constexpr const char* kind = "impute_nans";
  static constexpr bool reversible = false;
  static ImputeNans parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const ImputeNans&) const = default;
};

struct Rename {
  std::map<std::string, std::string> params;  // old -> new
  static constexpr const char* kind = "rename";
  static constexpr bool reversible = false;
  static Rename parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const Rename&) const = default;
};

struct Clip {
  std::string param;
  std::optional<double> minimum, maximum;  // at least one
  static constexpr const char* kind = "clip";
  static constexpr bool reversible = false;
  static Clip parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const Clip&) const = default;
};

struct Drop {  // what is of one of the params and on one of the levels; none given: any
  std::vector<std::string> params, levels;
  static constexpr const char* kind = "drop";
  static constexpr bool reversible = false;
  static Drop parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const Drop&) const = default;
};

struct OrogToZ {  // metres of orography to geopotential, times 9.80665 m/s2
  std::string orography = "orog", geopotential = "z";
  bool reversed = false;  // as z_to_orog
  static constexpr const char* kind = "orog_to_z";
  static constexpr bool reversible = true;
  static OrogToZ parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const OrogToZ&) const = default;
};

struct Noop {
  static constexpr const char* kind = "noop";
  static constexpr bool reversible = true;
  static Noop parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const Noop&) const = default;
};

}  // namespace tradewind::config
