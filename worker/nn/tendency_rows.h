// What follows the network of a model of tendencies, row by row: changes and values to their units, changes added to
// what they refer to; see TendencyDescription. Made on the CPU. Thread-safe to use.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/checkpoint/description.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

class TendencyRows {
 public:
  // The dataset has tendencies.
  TendencyRows(const checkpoint::DatasetDescription& dataset, const preprocess::Preprocessing& preprocessing);
  void move_to(at::Device device);
  // As OutputRows: answer (rows, output steps * output variables), time slowest, of own rows from `first` on; x (input
  // steps, own rows, input variables) raw; skip (own rows, prognostic variables) normalised, where a truncated residual
  // is referred to; y (output steps, own rows, output variables) gets the finished rows.
  void operator()(const at::Tensor& answer, std::int64_t first, const at::Tensor& x, const at::Tensor& skip,
                  at::Tensor& y) const;

 private:
  struct Scale {
    at::Tensor multiply, add;
  };
  const preprocess::Preprocessing& preprocessing_;
  at::Tensor prognostic_input_, prognostic_output_;  // columns
  Scale reference_;                                  // of the prognostic variables, as states
  std::vector<Scale> steps_;
};

}  // namespace tradewind::nn
