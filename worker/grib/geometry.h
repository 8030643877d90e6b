// Where a message's points lie, and whether what it says of its grid can be true. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "worker/fields/points/points.h"
#include "worker/grib/handle.h"

namespace tradewind::grib {

using fields::Points;  // in the order of the message's values

// What is said of a message's points when they are not known.
struct NoPoints {
  std::string why;
  bool by_design = false;  // the message refers to points kept elsewhere (GRIB2 template 3.101)
};

// UserError when the numbers in the message's grid contradict one another (its number of points against its rows and
// columns), or when it holds no field on points at all (spectral coefficients). Decodes and allocates nothing.
void check_geometry(const Handle& message);

// Every point of a message that says it has `count` of them, or nothing and then `why`.
// Checks the geometry before anything of its size is allocated. UserError for a geometry that contradicts itself, has
// another number of points, or lies beyond the poles.
std::optional<Points> points_of(const Handle& message, std::size_t count, NoPoints& why);

}  // namespace tradewind::grib
