// Pre-processing of the model's input and its inverse on the output, by rows of grid points: the checkpoint's steps in
// their order, and back. Made on the CPU. Thread-safe to use.
// Values that imputers replaced are missing in the output again: where is told by masks of the rows at the first input
// time, which the caller has made of these rows and hands in.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/preprocess/step.h"

namespace tradewind::preprocess {

class Preprocessing {
 public:
  // Throws UserError when a step has another number of columns than the model.
  explicit Preprocessing(const checkpoint::DatasetDescription& dataset);
  void move_to(at::Device device);
  bool has_masks() const { return masks_ > 0; }
  // Masks for `first`, raw rows (rows, input variables) of the first input time: bool (rows, masks); undefined without
  // imputers.
  at::Tensor masks(const at::Tensor& first) const;
  // Rows (rows, input variables) of one input time, float32, in place. UserError naming the column when a remapping is
  // not defined for a value.
  void forward(at::Tensor& rows, const at::Tensor& masks) const;
  // What forward() is when that is all of it; null otherwise.
  const Affine* forward_affine() const { return steps_.size() == 1 ? steps_.front()->forward_affine() : nullptr; }
  // Rows (rows, output variables) of one output time, float32, in place.
  void inverse(at::Tensor& rows, const at::Tensor& masks) const;
  // Of that only what imputers do: missing again where the masks say so.
  void put_back_missing(at::Tensor& rows, const at::Tensor& masks) const;

 private:
  std::vector<std::unique_ptr<Step>> steps_;
  std::int64_t masks_ = 0;
};

}  // namespace tradewind::preprocess
