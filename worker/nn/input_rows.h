// The rows the encoder reads: of one grid point the normalised variables at every input time, the node's coordinates
// and trainable values, and what else the model's class adds (checkpoint::InputFeature), in the order of its
// generation. Made when they are read, from the state and the node's attributes.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/nn/row_source.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

// Where in a row what begins. Made on the CPU, immutable but for move_to.
class InputLayout {
 public:
  // UserError for a feature that the dataset has not.
  explicit InputLayout(const checkpoint::DatasetDescription& dataset);
  void move_to(at::Device device);

  struct Part {
    checkpoint::InputFeature feature;
    std::int64_t column;
  };
  const std::vector<Part>& parts() const { return parts_; }
  std::int64_t columns() const { return columns_; }
  bool reads_residual() const { return reads_residual_; }
  // Of a row, where what the residual adds stands among the variables, int64; undefined where it is no part, or not one
  // of the variables as they are.
  const at::Tensor& residual() const { return residual_; }

 private:
  std::vector<Part> parts_;
  std::int64_t columns_ = 0;
  bool reads_residual_ = false;
  at::Tensor residual_;
};

class InputRows : public RowSource {
 public:
  // x (input steps, rows, variables) float32 contiguous; attributes (rows, k) likewise. All are referred to.
  // forecast_step: 0 or 1, see InputFeature. skip (rows, prognostic variables): what a truncated residual adds, where a
  // row holds it.
  InputRows(const InputLayout& layout, const at::Tensor& x, const at::Tensor& attributes,
            const preprocess::Preprocessing& preprocessing, double forecast_step, at::Tensor skip,
            const Operations& operations)
      : layout_(layout),
        x_(x),
        attributes_(attributes),
        preprocessing_(preprocessing),
        forecast_step_(forecast_step),
        skip_(std::move(skip)),
        operations_(operations) {}
  std::int64_t columns() const override { return layout_.columns(); }
  const at::Tensor& skip() const { return skip_; }
  // (rows, output steps * output variables) float32 contiguous, where a row holds it.
  void set_target(at::Tensor target) { target_ = std::move(target); }
  void rows(const at::Tensor& which, at::Tensor out) const override;
  void range(std::int64_t begin, std::int64_t end, at::Tensor out) const override;

 private:
  // The rows of `index`, or where it is undefined the rows from `first` on.
  void fill(const at::Tensor& index, std::int64_t first, at::Tensor& out) const;
  void fill_variables(const at::Tensor& index, std::int64_t first, std::int64_t column, at::Tensor& out) const;
  void fill_part(const InputLayout::Part& part, const at::Tensor& index, std::int64_t first, at::Tensor& out) const;

  const InputLayout& layout_;
  const at::Tensor& x_;
  const at::Tensor& attributes_;
  const preprocess::Preprocessing& preprocessing_;
  double forecast_step_;
  at::Tensor skip_, target_;
  const Operations& operations_;
};

}  // namespace tradewind::nn
