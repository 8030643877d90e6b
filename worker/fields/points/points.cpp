#include "worker/fields/points/points.h"

#include <algorithm>
#include <cmath>

namespace tradewind::fields {

std::optional<std::size_t> first_difference(const Points& given, const Points& wanted, Near near) {
  const std::size_t count = std::min(given.latitudes.size(), wanted.latitudes.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (!near(given.latitudes[i], wanted.latitudes[i])) return i;
    const double longitude = given.longitudes[i], other = wanted.longitudes[i];
    if (near(longitude, other)) continue;
    if (!near(std::remainder(longitude - other, 360.0) + other, other)) return i;
  }
  return given.latitudes.size() == wanted.latitudes.size() ? std::nullopt : std::optional(count);
}

bool all_close(double given, double wanted) { return std::abs(given - wanted) <= 1e-8 + 1e-5 * std::abs(wanted); }

Points Points::slice(std::int64_t begin, std::int64_t end) const {
  return {{latitudes.begin() + begin, latitudes.begin() + end}, {longitudes.begin() + begin, longitudes.begin() + end}};
}

}  // namespace tradewind::fields
