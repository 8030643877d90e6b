#include "worker/nn/rotary.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

namespace tradewind::nn {

void rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) {
  auto* values = x.mutable_data_ptr<float>();
  const std::int64_t half = head_size / 2;
  at::parallel_for(0, x.size(0), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> cosine(static_cast<std::size_t>(half)), sine(static_cast<std::size_t>(half));
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t i = 0; i < half; ++i) {
        const double frequency = std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(head_size));
        const double angle = static_cast<double>(first + row) * frequency;
        cosine[static_cast<std::size_t>(i)] = static_cast<float>(std::cos(angle));
        sine[static_cast<std::size_t>(i)] = static_cast<float>(std::sin(angle));
      }
      for (std::int64_t head = 0; head < heads; ++head) {
        float* a = values + (row * heads + head) * head_size;
        float* b = a + half;
        for (std::int64_t i = 0; i < half; ++i) {
          const float c = cosine[static_cast<std::size_t>(i)], s = sine[static_cast<std::size_t>(i)];
          const float left = a[i], right = b[i];
          a[i] = left * c - right * s;
          b[i] = right * c + left * s;
        }
      }
    }
  });
}

}  // namespace tradewind::nn
