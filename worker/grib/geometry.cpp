#include "worker/grib/geometry.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "common/errors.h"

namespace tradewind::grib {
namespace {

[[noreturn]] void contradiction(const std::string& what, const Handle& message) {
  throw UserError("the message's grid contradicts itself: " + what, message.where(),
                  "the message may be damaged: retrieve it again, or look at it with grib_dump");
}

bool is_spectral(const std::string& type) {
  return type == "sh" || type == "rotated_sh" || type == "stretched_sh" || type == "stretched_rotated_sh";
}

void check_number(long declared, double given, const std::string& by, const Handle& message) {
  if (static_cast<double>(declared) != given)
    contradiction(std::to_string(declared) + " points, but " + by + " give " + Json(given).dump(), message);
}

using Order = std::vector<std::pair<std::string, long>>;  // flags and the values they must have

// Flags that ecCodes 2.50 does not look at when it works out points, with what they have to say for its points to be
// those of the values. Rows of a reduced grid always run eastwards, those of a reduced Gaussian one from the north,
// those of a reduced regular one from the first latitude to the last; projected grids always run from their first point
// east and north, row by row; no row turns back.
Order order_of_points(const Handle& message, const std::string& type) {
  const bool reduced = type.starts_with("reduced"), gaussian = type.ends_with("_gg");
  const bool projected = type == "lambert" || type == "polar_stereographic" || type == "mercator";
  Order order;
  if (reduced || projected) order.emplace_back("iScansNegatively", 0);
  if (reduced && gaussian) order.emplace_back("jScansPositively", 0);
  if (projected) order.emplace_back("jScansPositively", 1);
  if (reduced && !gaussian) {
    const auto first = message.real("latitudeOfFirstGridPointInDegrees"),
               last = message.real("latitudeOfLastGridPointInDegrees");
    if (first && last && *first != *last) order.emplace_back("jScansPositively", *last > *first ? 1 : 0);
  }
  if (reduced || gaussian || projected) order.emplace_back("jPointsAreConsecutive", 0);
  if (reduced || gaussian || projected || type.ends_with("_ll") || type == "lambert_azimuthal_equal_area")
    order.emplace_back("alternativeRowScanning", 0);
  return order;
}

void check_order(const Handle& message, const std::string& type) {
  for (const auto& [key, wanted] : order_of_points(message, type))
    if (const long given = message.integer(key).value_or(wanted); given != wanted)
      throw UserError("the points of the message's grid (" + type + ") come in another order: " + key + " is " +
                          std::to_string(given),
                      message.where(), "give the field row by row in the order of the checkpoint's points");
}

}  // namespace

void check_geometry(const Handle& message) {
  const std::string type = message.text("gridType").value_or("unknown");
  if (is_spectral(type))
    throw UserError("the message holds spectral coefficients (grid type " + type + "), not values at points",
                    message.where(), "transform the field to the model's grid first");
  const long points = message.integer("numberOfDataPoints").value_or(0);
  if (points <= 0) contradiction("it has " + std::to_string(points) + " points", message);
  for (const char* key : {"latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees"})
    if (const auto latitude = message.real(key); latitude && !(std::abs(*latitude) <= 90 + 1e-3))
      contradiction(std::string(key) + " is " + Json(*latitude).dump(), message);
  check_order(message, type);
  const auto columns = message.integer("Ni"), rows = message.integer("Nj");
  if (message.integer("PLPresent").value_or(0) && message.text("gridType").value_or("").starts_with("reduced")) {
    const std::vector<long> counts = message.integers("pl");
    if (rows && static_cast<std::size_t>(*rows) != counts.size())
      contradiction(std::to_string(*rows) + " parallels, but a list of points for " + std::to_string(counts.size()),
                    message);
    const long sum = std::accumulate(counts.begin(), counts.end(), 0L);
    if (std::any_of(counts.begin(), counts.end(), [](long count) { return count < 0; }) || sum < points)
      contradiction(std::to_string(points) + " points, but its parallels have " + std::to_string(sum), message);
  } else if (columns && rows) {
    check_number(points, static_cast<double>(*columns) * static_cast<double>(*rows),
                 std::to_string(*columns) + " columns and " + std::to_string(*rows) + " rows", message);
  } else if (const auto side = message.integer("Nside"); type == "healpix" && side) {
    check_number(points, 12 * static_cast<double>(*side) * static_cast<double>(*side),
                 "12 faces with sides of " + std::to_string(*side), message);
  }
}

std::optional<Points> points_of(const Handle& message, std::size_t count, NoPoints& why) {
  check_geometry(message);
  if (const auto points = message.integer("numberOfDataPoints").value_or(0); points != static_cast<long>(count))
    throw UserError("the message has " + std::to_string(points) + " points instead of " + std::to_string(count),
                    message.where());
  if (message.integer("gridDefinitionTemplateNumber") == 101) {
    why = {.why = "the message does not hold its points", .by_design = true};
    return std::nullopt;
  }
  auto latitudes = message.reals("latitudes", count), longitudes = message.reals("longitudes", count);
  if (!latitudes || !longitudes) {
    why = {.why = "ecCodes cannot work out the points of grid type " + message.text("gridType").value_or("unknown")};
    return std::nullopt;
  }
  Points points{std::move(*latitudes), std::move(*longitudes)};
  for (std::size_t i = 0; i < count; ++i) {
    const double latitude = points.latitudes[i], longitude = points.longitudes[i];
    if (std::isnan(latitude) || std::isnan(longitude))
      contradiction("its description gives no place for point " + std::to_string(i), message);
    // Sums of an increment that is rounded to a millionth of a degree end a little beyond the pole.
    if (!(std::abs(latitude) <= 90 + 1e-3) || !(std::abs(longitude) <= 720))
      contradiction("point " + std::to_string(i) + " lies at latitude " + Json(latitude).dump() + ", longitude " +
                        Json(longitude).dump(),
                    message);
  }
  return points;
}

}  // namespace tradewind::grib
