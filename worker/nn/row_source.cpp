#include "worker/nn/row_source.h"

#include <ATen/Parallel.h>

#include <cstring>
#include <numeric>
#include <vector>

namespace tradewind::nn {

void RowSource::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  std::vector<std::int64_t> which(static_cast<std::size_t>(end - begin));
  std::iota(which.begin(), which.end(), begin);
  rows(which, std::move(out));
}

void TensorRows::rows(std::span<const std::int64_t> which, at::Tensor out) const {
  const std::int64_t columns = own_.size(1), own_rows = own_.size(0);
  const float* own = own_.const_data_ptr<float>();
  const float* halo = halo_.numel() ? halo_.const_data_ptr<float>() : nullptr;
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, static_cast<std::int64_t>(which.size()), 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = which[static_cast<std::size_t>(i)];
      const float* from = row < own_rows ? own + row * columns : halo + (row - own_rows) * columns;
      std::memcpy(to + i * columns, from, static_cast<std::size_t>(columns) * sizeof(float));
    }
  });
}

}  // namespace tradewind::nn
