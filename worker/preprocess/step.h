// One step of pre-processing on rows of variables. Thread-safe to use.
#pragma once

#include <ATen/core/Tensor.h>

namespace tradewind::preprocess {

// x * multiply + add, column by column.
struct Affine {
  at::Tensor multiply, add;  // (variables) float32
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void move_to(at::Device device);
  // Model input (rows, variables) of one time, float32, in place; unless overridden nothing changes. `masks`: this
  // step's columns of Preprocessing::masks.
  virtual void forward(at::Tensor& rows, const at::Tensor& masks) const;
  // Model output, likewise.
  virtual void inverse(at::Tensor& rows, const at::Tensor& masks) const;
  // What forward() is when that is all of it; null otherwise.
  virtual const Affine* forward_affine() const { return nullptr; }
  // Columns of its mask, and what they are for the rows at the first input time as they come to this step.
  virtual std::int64_t mask_count() const { return 0; }
  virtual at::Tensor mask(const at::Tensor& first) const;
};

}  // namespace tradewind::preprocess
