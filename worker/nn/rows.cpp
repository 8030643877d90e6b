#include "worker/nn/rows.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "worker/nn/kernels/kernels.h"

namespace tradewind::nn {
namespace {

// Rows that are worth a thread.
std::int64_t grain(std::int64_t columns) { return 1 + (1 << 14) / std::max<std::int64_t>(1, columns); }

}  // namespace

void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) {
  if (!table.is_cpu()) {
    at::index_select_out(out, table, 0, index);
    return;
  }
  const std::int64_t columns = table.size(1);
  const float* from = table.const_data_ptr<float>();
  const std::int64_t* which = index.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, index.size(0), grain(columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().gather(from, which + begin, end - begin, columns, to + begin * columns);
  });
}

void add_gathered_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) {
  if (!table.is_cpu()) {
    out.add_(at::index_select(table, 0, index));
    return;
  }
  const std::int64_t columns = table.size(1);
  const float* from = table.const_data_ptr<float>();
  const std::int32_t* which = index.const_data_ptr<std::int32_t>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, index.size(0), grain(columns), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().gather_add(from, which + begin, end - begin, columns, to + begin * columns);
  });
}

void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) {
  const std::int64_t segments = out.size(0), columns = out.size(1);
  if (!x.is_cpu()) {
    const at::Tensor lengths = first.diff();
    const at::Tensor owner = at::repeat_interleave(lengths, x.size(0));
    out.zero_().index_add_(0, owner, x);
    return;
  }
  const float* from = x.const_data_ptr<float>();
  const std::int64_t* bounds = first.const_data_ptr<std::int64_t>();
  auto* to = out.mutable_data_ptr<float>();
  const std::int64_t per_segment = 1 + x.size(0) / std::max<std::int64_t>(1, segments);
  at::parallel_for(0, segments, grain(columns * per_segment), [&](std::int64_t begin, std::int64_t end) {
    kernels::table().segment_sum(from + (bounds[begin] - bounds[0]) * columns, bounds + begin, end - begin, columns,
                                 to + begin * columns);
  });
}

}  // namespace tradewind::nn
