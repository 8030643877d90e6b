// What follows the decoder, row by row: residual, bounding, inverse pre-processing. Made on the CPU. Thread-safe to
// use.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/nn/operations.h"
#include "worker/preprocess/bounding.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

// The input step that is added to the output, from 0; absent without such a residual. UserError for a step that there
// is none of.
std::optional<std::int64_t> residual_step(const checkpoint::DatasetDescription& dataset);

class OutputRows {
 public:
  OutputRows(const checkpoint::DatasetDescription& dataset, const preprocess::Preprocessing& preprocessing);
  void move_to(at::Device device);
  // decoded (rows, output steps * output variables), time slowest, of own rows from `first` on; x (input steps, own
  // rows, input variables) raw; skip (own rows, prognostic variables) normalised, where a truncated residual adds it;
  // y (output steps, own rows, output variables) gets the finished rows.
  void operator()(const at::Tensor& decoded, std::int64_t first, const at::Tensor& x, const at::Tensor& skip,
                  at::Tensor& y, const Operations& operations) const;

 private:
  const preprocess::Preprocessing& preprocessing_;
  std::int64_t residual_step_ = -1;                  // of the input; -1: not as it is
  at::Tensor prognostic_input_, prognostic_output_;  // columns
  std::vector<preprocess::Bounding> boundings_;
};

}  // namespace tradewind::nn
