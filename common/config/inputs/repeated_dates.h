// Input `repeated_dates`: what another input has at one date, for every date that is asked for.
#pragma once

#include <memory>
#include <string>

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/uses.h"
#include "common/dates.h"

namespace tradewind::config {

struct InputConfig;

struct RepeatedDatesConfig {
  std::shared_ptr<const InputConfig> source;  // never null
  Time date{};                                // at which the source is read

  static constexpr const char* kind = "repeated_dates";
  static RepeatedDatesConfig parse(const Component& component, Findings& findings);
  void uses(Uses& uses) const;
  bool operator==(const RepeatedDatesConfig& other) const;
};

}  // namespace tradewind::config
