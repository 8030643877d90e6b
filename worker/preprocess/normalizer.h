// Pre-processing of the model's input and its inverse on the output, row by row: normalised = x * multiply + add, and
// back (y - add) / multiply, a subtraction and then a division as the reference does it. NaN passes through.
// Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "common/checkpoint/description.h"

namespace tradewind::preprocess {

class Processors {
 public:
  // Throws UserError when a step has another number of columns than the model.
  explicit Processors(const checkpoint::ModelDescription& model);
  // One row of input variables at one time; out may be x.
  void forward(const float* x, float* out) const;
  // One row of output variables at one time, in place.
  void inverse(float* y) const;

 private:
  std::int64_t inputs_, outputs_;
  std::vector<checkpoint::PreprocessorDescription> forward_, inverse_;
};

}  // namespace tradewind::preprocess
