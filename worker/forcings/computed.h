// Forcings computed from date and position (reference/peer semantics: docs/forcings.md gives the formulas).
// Geometry is prepared once per grid; evaluation per date is in float64, rounded to float32. Thread-safe when const.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/computed_forcing.h"
#include "common/dates.h"

namespace tradewind::forcings {

class Computed {
 public:
  // latitudes, longitudes: degrees, this rank's rows. Throws UserError for a name no formula is known for.
  Computed(std::vector<std::string> names, std::vector<double> latitudes, std::vector<double> longitudes);
  const std::vector<std::string>& names() const { return names_; }
  // (names, rows), float32, at `date` (names may carry an offset: insolation+6h).
  at::Tensor operator()(Time date) const;

 private:
  // At date, into out (rows).
  void of_formula(checkpoint::Formula formula, Time date, float* out) const;

  std::vector<std::string> names_;
  std::int64_t rows_;
  std::vector<double> sin_lat_, cos_lat_, sin_lon_, cos_lon_;
  std::vector<double> latitudes_, longitudes_;  // degrees; empty when no name needs them
};

}  // namespace tradewind::forcings
