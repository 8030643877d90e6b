// Post-processors `extract_mask` and `assign_mask`: the points of a mask, and a larger grid in whose mask they are.
#pragma once

#include <limits>
#include <string>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct ExtractMask {
  std::string mask;       // a .npy file if it is there, else the name of an array in the checkpoint
  bool as_slice = false;  // as many points from the beginning as the mask has
  bool inverse = false;
  Origin at, mask_at;

  static constexpr const char* kind = "extract_mask";
  static ExtractMask parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

struct AssignMask {
  std::string mask;  // as above, of the larger grid
  double fill_value = std::numeric_limits<double>::quiet_NaN();
  Origin at, mask_at;

  static constexpr const char* kind = "assign_mask";
  static AssignMask parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
};

}  // namespace tradewind::config
