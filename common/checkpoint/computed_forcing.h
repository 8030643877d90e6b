// The forcings that are computed from date and position, by name. Their formulas are in worker/forcings. Pure,
// thread-safe.
#pragma once

#include <optional>
#include <string>

#include "common/dates.h"

namespace tradewind::checkpoint {

enum class Formula {
  latitude,
  cos_latitude,
  sin_latitude,
  longitude,
  cos_longitude,
  sin_longitude,
  ecef_x,
  ecef_y,
  ecef_z,
  julian_day,
  cos_julian_day,
  sin_julian_day,
  local_time,
  cos_local_time,
  sin_local_time,
  solar,
  radiation
};

struct ComputedForcing {
  Formula formula;
  Duration offset;  // the date that counts lies so much later
};

// Of a name, which may carry an offset: insolation+6h, insolation-1d. Nothing when no formula is known for it.
std::optional<ComputedForcing> computed_forcing(const std::string& name);

}  // namespace tradewind::checkpoint
