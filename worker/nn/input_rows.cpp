#include "worker/nn/input_rows.h"

#include <ATen/ATen.h>

#include "worker/nn/operations.h"

namespace tradewind::nn {

void InputRows::rows(const at::Tensor& which, at::Tensor out) const {
  if (const preprocess::Affine* affine = processors_.forward_affine(); affine && on_cpu_kernels(out)) {
    fill_scaled(*affine, which.const_data_ptr<std::int64_t>(), 0, out);
    return;
  }
  fill([&](const at::Tensor& table) { return table.index_select(0, which); }, out);
}

void InputRows::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  if (const preprocess::Affine* affine = processors_.forward_affine(); affine && on_cpu_kernels(out)) {
    fill_scaled(*affine, nullptr, begin, out);
    return;
  }
  fill([&](const at::Tensor& table) { return table.narrow(0, begin, end - begin).clone(); }, out);
}

void InputRows::fill_scaled(const preprocess::Affine& affine, const std::int64_t* index, std::int64_t first,
                            at::Tensor& out) const {
  kernels::ScaledRows rows;
  rows.index = index;
  rows.out = out.mutable_data_ptr<float>();
  rows.rows = out.size(0);
  rows.out_stride = out.size(1);
  const auto add_columns = [&](const at::Tensor& table) {
    rows.columns = table.size(1);
    rows.table = table.const_data_ptr<float>() + first * rows.columns;
    scale_rows_on_cpu(rows);
    rows.out += rows.columns;
  };
  rows.multiply = affine.multiply.const_data_ptr<float>();
  rows.add = affine.add.const_data_ptr<float>();
  for (std::int64_t step = 0; step < x_.size(0); ++step) add_columns(x_.select(0, step));
  rows.multiply = rows.add = nullptr;
  add_columns(attributes_);
}

template <class Pick>
void InputRows::fill(const Pick& pick, at::Tensor& out) const {
  const std::int64_t steps = x_.size(0), variables = x_.size(2);
  at::Tensor masks;
  if (processors_.has_masks()) masks = processors_.masks(pick(x_.select(0, 0)));
  for (std::int64_t step = 0; step < steps; ++step) {
    at::Tensor values = pick(x_.select(0, step));
    processors_.forward(values, masks);
    out.narrow(1, step * variables, variables).copy_(values);
  }
  out.narrow(1, steps * variables, attributes_.size(1)).copy_(pick(attributes_));
}

}  // namespace tradewind::nn
