// Inputs without files or options: `dummy` (fields for tests) and `empty` (none).
#pragma once

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"

namespace tradewind::config {

struct DummyInputConfig {
  static constexpr const char* kind = "dummy";
  static DummyInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const DummyInputConfig&) const = default;
};

struct EmptyInputConfig {
  static constexpr const char* kind = "empty";
  static EmptyInputConfig parse(const Component& component, Findings& findings);
  void uses(Uses& /*uses*/) const {}
  bool operator==(const EmptyInputConfig&) const = default;
};

}  // namespace tradewind::config
