#include "worker/compare/known_grids.h"

#include <cmath>

namespace tradewind::compare {
namespace {

// Edition 1 keeps thousandths of a degree.
bool near(double given, double wanted) { return std::abs(given - wanted) <= 1.1e-3; }

std::string coordinates_of(const grib::Points& points, std::size_t i) {
  return std::to_string(points.latitudes[i]) + " " + std::to_string(points.longitudes[i]);
}

std::string difference_of(const KnownGrid& got, const KnownGrid& wanted) {
  if (got.points.has_value() != wanted.points.has_value())
    return std::string("the points of ") + (got.points ? "B" : "A") + "'s message are not known";
  if (!got.points) return "refers to other points than B's, neither of which are known";
  const auto i = fields::first_difference(*got.points, *wanted.points, near);
  if (!i) return {};
  return "is on another grid: point " + std::to_string(*i) + " at " + coordinates_of(*got.points, *i) + " (want " +
         coordinates_of(*wanted.points, *i) + ")";
}

}  // namespace

const KnownGrid& KnownGrids::of(const grib::Handle& message, const MessageKeys& keys) {
  auto& known = grids_[keys.grid];
  if (!known) {
    grib::NoPoints why;
    auto points = grib::points_of(message, keys.points, why);
    Grid grid = points ? Grid(points->latitudes) : Grid(std::vector<double>(keys.points, 0.0));
    known = std::make_unique<KnownGrid>(KnownGrid{std::move(grid), std::move(points)});
  }
  return *known;
}

const std::string& KnownGrids::difference(const grib::Handle& got, const MessageKeys& got_keys,
                                          const grib::Handle& wanted, const MessageKeys& wanted_keys) {
  static const std::string none;
  if (got_keys.grid == wanted_keys.grid) return none;
  const auto [known, fresh] = differences_.try_emplace({got_keys.grid, wanted_keys.grid});
  if (fresh) known->second = difference_of(of(got, got_keys), of(wanted, wanted_keys));
  return known->second;
}

}  // namespace tradewind::compare
