#include "worker/nn/input_rows.h"

#include <ATen/Parallel.h>

#include <cstring>

namespace tradewind::nn {

void InputRows::rows(const at::Tensor& which, at::Tensor out) const {
  const std::int64_t steps = x_.size(0), own = x_.size(1), variables = x_.size(2), extra = attributes_.size(1);
  const std::int64_t width = columns();
  const float* x = x_.const_data_ptr<float>();
  const float* attributes = attributes_.const_data_ptr<float>();
  const std::int64_t* numbers = which.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, which.size(0), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = numbers[i];
      float* target = to + i * width;
      for (std::int64_t step = 0; step < steps; ++step) {
        processors_.forward(x + (step * own + row) * variables, target + step * variables);
      }
      std::memcpy(target + steps * variables, attributes + row * extra,
                  static_cast<std::size_t>(extra) * sizeof(float));
    }
  });
}

}  // namespace tradewind::nn
