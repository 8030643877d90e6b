#include "worker/nn/input_rows.h"

#include <ATen/ATen.h>

namespace tradewind::nn {

void InputRows::rows(const at::Tensor& which, at::Tensor out) const {
  fill([&](const at::Tensor& table) { return table.index_select(0, which); }, out);
}

void InputRows::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  fill([&](const at::Tensor& table) { return table.narrow(0, begin, end - begin).clone(); }, out);
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
