// Message templates made on the spot for a grid, so that outputs need no GRIB input: GRIB2 of centre ecmf, class od,
// type an, stream oper, expver 0001, packed as grid_ccsds. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "worker/grib/handle.h"

namespace tradewind::grib {

struct Corners {
  double first_latitude = 90, first_longitude = 0, last_latitude = -90, last_longitude = 360;  // degrees
};

// grid: O96 (octahedral), N320 (classic reduced Gaussian), F80 (regular Gaussian), 0.25 or 0.5x0.25 (regular latitude
// and longitude, longitude step first), in either case. `corners`: first and last point of a regular grid that does not
// span the globe. nullopt when the text names none of these. Errors: UserError for a classic reduced grid whose number
// of points per parallel ecCodes does not know, and for increments that do not fit the corners.
std::optional<Handle> make_builtin(const std::string& grid, bool pressure_level, const std::optional<Corners>& corners);

// The grid of a message in the same words; empty for other kinds of grids.
std::string grid_name(const Handle& message);

}  // namespace tradewind::grib
