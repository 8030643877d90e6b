// What follows the decoder, row by row: residual, bounding, inverse pre-processing. Made on the CPU. Thread-safe to
// use.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/checkpoint/description.h"
#include "worker/preprocess/bounding.h"
#include "worker/preprocess/processors.h"

namespace tradewind::nn {

class OutputRows {
 public:
  OutputRows(const checkpoint::ModelDescription& model, const preprocess::Processors& processors);
  void move_to(at::Device device);
  // decoded (rows, output steps * output variables), time slowest, of own rows from `first` on; x (input steps, own
  // rows, input variables) raw; y (output steps, own rows, output variables) gets the finished rows.
  void operator()(const at::Tensor& decoded, std::int64_t first, const at::Tensor& x, at::Tensor& y) const;

 private:
  // out (rows, output variables) += the prognostic columns of the raw state (rows, input variables), normalised.
  void add_residual(const preprocess::Affine& affine, const at::Tensor& state, at::Tensor& out) const;

  const preprocess::Processors& processors_;
  std::int64_t residual_step_ = -1;                  // of the input; -1: no residual
  at::Tensor prognostic_input_, prognostic_output_;  // columns
  std::vector<preprocess::Bounding> boundings_;
};

}  // namespace tradewind::nn
