#include "worker/compare/scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace tradewind::compare {

Grid::Grid(const std::vector<double>& latitudes) {
  std::map<double, std::size_t> rows;
  double sum = 0;
  for (const double latitude : latitudes) {
    parallel.push_back(rows.try_emplace(latitude, rows.size()).first->second);
    weights.push_back(std::cos(latitude * std::numbers::pi / 180));
    sum += weights.back();
  }
  parallels = rows.size();
  for (double& weight : weights) weight *= static_cast<double>(latitudes.size()) / sum;
}

std::vector<double> climatology_of(const std::vector<double>& field, const Grid& grid, Climatology kind) {
  const std::size_t groups = kind == Climatology::zonal_mean ? grid.parallels : 1;
  std::vector<double> sums(groups), weights(groups), result(field.size());
  const auto group = [&](std::size_t point) { return kind == Climatology::zonal_mean ? grid.parallel[point] : 0; };
  for (std::size_t point = 0; point < field.size(); ++point) {
    if (std::isnan(field[point])) continue;
    sums[group(point)] += grid.weights[point] * field[point];
    weights[group(point)] += grid.weights[point];
  }
  for (std::size_t point = 0; point < field.size(); ++point) result[point] = sums[group(point)] / weights[group(point)];
  return result;
}

Scores score(const std::vector<double>& a, const std::vector<double>& b, const Grid& grid,
             const std::vector<double>& climatology) {
  Scores scores;
  double weight = 0, squares = 0, differences = 0, aa = 0, bb = 0, ab = 0, sum = 0, count = 0;
  for (std::size_t point = 0; point < b.size(); ++point) {
    if (std::isnan(b[point])) continue;
    const double w = grid.weights[point], difference = a[point] - b[point];
    const double anomaly_a = a[point] - climatology[point], anomaly_b = b[point] - climatology[point];
    scores.max_difference = std::isnan(difference) ? difference : std::max(scores.max_difference, std::abs(difference));
    if (std::isnan(difference)) break;
    weight += w;
    squares += w * difference * difference;
    differences += w * difference;
    aa += w * anomaly_a * anomaly_a;
    bb += w * anomaly_b * anomaly_b;
    ab += w * anomaly_a * anomaly_b;
    sum += b[point];
    ++count;
  }
  double spread = 0;
  for (const double value : b)
    if (!std::isnan(value)) spread += (value - sum / count) * (value - sum / count);
  scores.deviation = count > 0 ? std::sqrt(spread / count) : 0;
  if (!(scores.deviation > 0)) scores.deviation = 1;
  scores.rmse = std::sqrt(squares / weight);
  scores.bias = differences / weight;
  scores.anomaly = std::sqrt(bb / weight);
  scores.correlation = ab / std::sqrt(aa * bb);
  return scores;
}

}  // namespace tradewind::compare
