#include "worker/nn/input_rows.h"

#include <ATen/ATen.h>

namespace tradewind::nn {

void InputRows::rows(const at::Tensor& which, at::Tensor out) const { fill(which, 0, out); }

void InputRows::range(std::int64_t begin, std::int64_t, at::Tensor out) const { fill({}, begin, out); }

void InputRows::fill_scaled(const preprocess::Affine& affine, const at::Tensor& index, std::int64_t first,
                            at::Tensor& out) const {
  const std::int64_t steps = x_.size(0), variables = x_.size(2);
  for (std::int64_t step = 0; step < steps; ++step) {
    operations_.copy_rows(x_.select(0, step), index, first, &affine, out, step * variables);
  }
  operations_.copy_rows(attributes_, index, first, nullptr, out, steps * variables);
}

void InputRows::fill(const at::Tensor& index, std::int64_t first, at::Tensor& out) const {
  if (const preprocess::Affine* affine = preprocessing_.forward_affine()) {
    fill_scaled(*affine, index, first, out);
    return;
  }
  const auto pick = [&](const at::Tensor& table) {
    return index.defined() ? table.index_select(0, index) : table.narrow(0, first, out.size(0)).clone();
  };
  const std::int64_t steps = x_.size(0), variables = x_.size(2);
  at::Tensor masks;
  if (preprocessing_.has_masks()) masks = preprocessing_.masks(pick(x_.select(0, 0)));
  for (std::int64_t step = 0; step < steps; ++step) {
    at::Tensor values = pick(x_.select(0, step));
    preprocessing_.forward(values, masks);
    out.narrow(1, step * variables, variables).copy_(values);
  }
  operations_.copy_rows(attributes_, index, first, nullptr, out, steps * variables);
}

}  // namespace tradewind::nn
