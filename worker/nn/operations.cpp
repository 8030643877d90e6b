#include "worker/nn/operations.h"

#include <ATen/ATen.h>

#include <cmath>
#include <optional>

#include "common/errors.h"
#include "worker/nn/device_attention.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {
namespace {

std::optional<at::Tensor> when_defined(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace

void Operations::layer_norm(const at::Tensor& x, at::Tensor out, std::int64_t size, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon) const {
  const at::Tensor rows = x.view({-1, size});
  out.view({-1, size}).copy_(at::layer_norm(rows, {size}, when_defined(weight), when_defined(bias), epsilon));
}

void Operations::gelu(at::Tensor& x) const { at::gelu_(x); }

void Operations::rotate(at::Tensor& x, std::int64_t first, std::int64_t heads, std::int64_t head_size) const {
  const at::TensorOptions exact = x.options().dtype(at::kDouble);
  const std::int64_t half = head_size / 2;
  const at::Tensor frequency = at::pow(10000.0, at::arange(half, exact) * (-2.0 / static_cast<double>(head_size)));
  const at::Tensor angle = at::outer(at::arange(first, first + x.size(0), exact), frequency).unsqueeze(1);
  const at::Tensor cosine = angle.cos().to(at::kFloat), sine = angle.sin().to(at::kFloat);
  at::Tensor halves = x.view({x.size(0), heads, 2, half});
  at::Tensor left = halves.select(2, 0), right = halves.select(2, 1);
  const at::Tensor turned = left * cosine - right * sine;
  right.mul_(cosine).add_(left * sine);
  left.copy_(turned);
}

void Operations::gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) const {
  at::index_select_out(out, table, 0, index);
}

void Operations::sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second,
                                   bool with_gelu, at::Tensor out) const {
  at::Tensor sum = at::index_select(first.table, 0, first.index).add_(start);
  if (second.table.defined()) sum.add_(at::index_select(second.table, 0, second.index));
  if (with_gelu) at::gelu_(sum);
  out.copy_(sum);
}

void Operations::sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) const {
  // With an optional it is the count of all, not of each.
  const at::Tensor owner = at::repeat_interleave(first.diff(), std::optional<std::int64_t>(x.size(0)));
  out.zero_().index_add_(0, owner, x);
}

void Operations::sum_weighted_rows(const SparseEntries& matrix, const at::Tensor& own, const at::Tensor& halo,
                                   at::Tensor out) const {
  const at::Tensor owner = at::repeat_interleave(matrix.first.diff(), std::optional(matrix.column.size(0)));
  const at::Tensor table = halo.size(0) == 0 ? own : at::cat({own, halo});
  out.zero_().index_add_(0, owner, table.index_select(0, matrix.column).mul_(matrix.weight.unsqueeze(1)));
}

void Operations::copy_rows(const at::Tensor& table, const at::Tensor& index, std::int64_t first,
                           const preprocess::Affine* affine, at::Tensor& out, std::int64_t column) const {
  const std::int64_t rows = out.size(0);
  at::Tensor values = index.defined() ? table.index_select(0, index) : table.narrow(0, first, rows);
  if (affine) values = (values * affine->multiply).add_(affine->add);
  out.narrow(1, column, table.size(1)).copy_(values);
}

void Operations::add_scaled_columns(const at::Tensor& from, const preprocess::Affine& affine,
                                    const at::Tensor& from_columns, const at::Tensor& to_columns,
                                    at::Tensor& out) const {
  const at::Tensor scaled = (from * affine.multiply).add_(affine.add);
  out.index_add_(1, to_columns, scaled.index_select(1, from_columns));
}

KeyMemory Operations::take_keys(std::int64_t rows, std::int64_t heads, std::int64_t head_size, at::ScalarType type,
                                Workspace& workspace) const {
  return {rows, heads, head_size, workspace.take(Workspace::key, rows, heads * head_size, type),
          workspace.take(Workspace::value, rows, heads * head_size, type)};
}

void Operations::add_keys(const KeyMemory& memory, const at::Tensor& key, const at::Tensor& value,
                          std::int64_t first) const {
  memory.keys.narrow(0, first, key.size(0)).copy_(key);
  memory.values.narrow(0, first, value.size(0)).copy_(value);
}

void Operations::attend(const KeyMemory& memory, at::Tensor query, std::int64_t position, const Scores& scores) const {
  DeviceAttention attention;
  attention.heads = memory.heads;
  attention.head_size = memory.head_size;
  attention.window = scores.window;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(memory.head_size));
  attention.softcap = scores.softcap;
  attention.slopes = scores.slopes;
  nn::attend(attention, query, position, memory.keys, memory.values, query);
}

void Operations::packed_product(const kernels::Product&) const {
  throw InternalFault("a packed product on a device that has none");
}

}  // namespace tradewind::nn
