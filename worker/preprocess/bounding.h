// Limits on columns of the model's output: max(x, t) or a clamp, with a small slope outside when leaky, and fractions
// of another column. NaN stays NaN. Immutable, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"

namespace tradewind::preprocess {

class Bounding {
 public:
  // UserError when it names a column outside [0, variables).
  Bounding(const checkpoint::BoundingDescription& description, std::int64_t variables);
  void move_to(at::Device device);
  // rows (rows, variables) float32, in place.
  void operator()(at::Tensor& rows) const;

 private:
  checkpoint::BoundingDescription description_;
  at::Tensor columns_, thresholds_;
};

}  // namespace tradewind::preprocess
