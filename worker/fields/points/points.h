// Where the points of a grid lie. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tradewind::fields {

struct Points {
  std::vector<double> latitudes, longitudes;  // degrees, in the order of the grid's rows
  Points slice(std::int64_t begin, std::int64_t end) const;
};

// The first point whose coordinates differ; longitudes that differ by a whole turn are the same. nullopt: none.
// `near`: whether two coordinates in degrees are the same one.
using Near = bool (*)(double given, double wanted);
std::optional<std::size_t> first_difference(const Points& given, const Points& wanted, Near near);

// numpy's allclose with its default tolerances, which is what decides whether a grid is the checkpoint's.
bool all_close(double given, double wanted);

}  // namespace tradewind::fields
