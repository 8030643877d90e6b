// How well one field agrees with another. Pure functions of values and latitudes; missing values are NaN.
#pragma once

#include <string>
#include <vector>

namespace tradewind::compare {

enum class Climatology { zonal_mean, mean };

// Area weights cos(latitude), and which points share a parallel. Latitudes in degrees, in point order.
struct Grid {
  explicit Grid(const std::vector<double>& latitudes);
  std::vector<double> weights;        // mean 1
  std::vector<std::size_t> parallel;  // of each point
  std::size_t parallels = 0;
};

// What anomalies are counted from: the mean of the field along each parallel, or over the area.
std::vector<double> climatology_of(const std::vector<double>& field, const Grid& grid, Climatology kind);

struct Scores {
  double max_difference = 0;  // largest |a - b|
  double deviation = 0;       // standard deviation of b over its points, unweighted; 1 when b is constant
  double rmse = 0, bias = 0;  // area-weighted, of a - b
  double anomaly = 0;         // area-weighted root mean square of b's anomaly
  double correlation = 0;     // of the anomalies of a and b, area-weighted; NaN when one has none
};

// Points where b is missing do not count.
Scores score(const std::vector<double>& a, const std::vector<double>& b, const Grid& grid,
             const std::vector<double>& climatology);

}  // namespace tradewind::compare
