// `forward_transform_filter` and `backward_transform_filter`: a filter of anemoi-transform, in one direction. Plain
// values.
#pragma once

#include <variant>

#include "common/config/filters/transform_kinds.h"

namespace tradewind::config {

// The table of kinds (kinds.h).
using TransformKinds =
    std::variant<CosSinMeanWaveDirection, ApplyMask, Rescale, ImputeNans, Rename, Clip, Drop, OrogToZ, Noop>;
struct TransformConfig : TransformKinds {
  using TransformKinds::TransformKinds;
  void uses(Uses& uses) const;
};

struct ForwardTransform {
  TransformConfig transform = Noop{};
  bool skip_initial_state = false;
  Origin at = {};
  static constexpr const char* kind = "forward_transform_filter";
  static ForwardTransform parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const { transform.uses(uses); }
  bool operator==(const ForwardTransform&) const = default;
};

struct BackwardTransform {
  TransformConfig transform = Noop{};
  bool skip_initial_state = false;
  Origin at = {};
  static constexpr const char* kind = "backward_transform_filter";
  static BackwardTransform parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const { transform.uses(uses); }
  bool operator==(const BackwardTransform&) const = default;
};

}  // namespace tradewind::config
