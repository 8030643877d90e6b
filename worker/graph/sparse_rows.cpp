#include "worker/graph/sparse_rows.h"

#include <ATen/ATen.h>

#include <limits>
#include <string>

#include "common/errors.h"
#include "worker/weights/bind.h"

namespace tradewind::graph {
namespace {

using checkpoint::SparseDescriptor;

[[noreturn]] void refuse(const SparseDescriptor& matrix, const char* what) {
  throw UserError(what, matrix.path, "the checkpoint is damaged");
}

void check_columns(const SparseDescriptor& matrix, const SparseRows& out) {
  for (const std::int32_t column : out.column) {
    if (column < 0 || column >= matrix.columns) refuse(matrix, "a sparse matrix with an entry outside of it");
  }
}

at::Tensor longs(const checkpoint::TensorDescriptor& tensor) {
  return weights::bind(tensor).to(at::kLong).contiguous();
}

SparseRows compressed(const SparseDescriptor& matrix, dist::RowRange rows) {
  const at::Tensor first = longs(matrix.row_indices).slice(0, rows.begin, rows.end + 1);
  const std::int64_t begin = first[0].item<std::int64_t>(), end = first[-1].item<std::int64_t>();
  if (begin < 0 || begin > end || end > matrix.entries()) refuse(matrix, "row pointers that do not ascend");
  SparseRows out;
  const std::int64_t* pointers = first.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < first.size(0); ++i) {
    if (i > 0 && pointers[i] < pointers[i - 1]) refuse(matrix, "row pointers that do not ascend");
    out.first.push_back(pointers[i] - begin);
  }
  const at::Tensor columns = weights::bind(matrix.column_indices).slice(0, begin, end).to(at::kInt).contiguous();
  out.column.assign(columns.const_data_ptr<std::int32_t>(), columns.const_data_ptr<std::int32_t>() + end - begin);
  out.weight = weights::bind(matrix.values).slice(0, begin, end).to(at::kFloat).clone();
  return out;
}

SparseRows coordinates(const SparseDescriptor& matrix, dist::RowRange rows) {
  const at::Tensor row_index = longs(matrix.row_indices), column_index = longs(matrix.column_indices);
  const std::int64_t *row_of = row_index.const_data_ptr<std::int64_t>(),
                     *column_of = column_index.const_data_ptr<std::int64_t>();
  const auto own_row = [&](std::int64_t i) {
    const std::int64_t row = row_of[i] - rows.begin;
    return row >= 0 && row < rows.size() ? row : -1;
  };
  SparseRows out;
  out.first.assign(static_cast<std::size_t>(rows.size() + 1), 0);
  for (std::int64_t i = 0; i < matrix.entries(); ++i) {
    if (const std::int64_t row = own_row(i); row >= 0) ++out.first[static_cast<std::size_t>(row + 1)];
  }
  for (std::size_t row = 1; row < out.first.size(); ++row) out.first[row] += out.first[row - 1];
  std::vector<std::int64_t> next(out.first.begin(), out.first.end() - 1);
  at::Tensor order = at::empty({out.first.back()}, at::kLong);
  auto* order_of = order.mutable_data_ptr<std::int64_t>();
  out.column.resize(static_cast<std::size_t>(out.first.back()));
  for (std::int64_t i = 0; i < matrix.entries(); ++i) {
    const std::int64_t row = own_row(i);
    if (row < 0) continue;
    const std::int64_t slot = next[static_cast<std::size_t>(row)]++;
    order_of[slot] = i;
    out.column[static_cast<std::size_t>(slot)] = static_cast<std::int32_t>(column_of[i]);
  }
  out.weight = weights::bind(matrix.values).index_select(0, order).to(at::kFloat);
  return out;
}

}  // namespace

SparseRows rows_of(const SparseDescriptor& matrix, dist::RowRange rows) {
  if (matrix.columns > std::numeric_limits<std::int32_t>::max()) refuse(matrix, "more than 2^31 columns");
  const bool by_rows = matrix.layout == SparseDescriptor::Layout::compressed_rows;
  SparseRows out = by_rows ? compressed(matrix, rows) : coordinates(matrix, rows);
  check_columns(matrix, out);
  return out;
}

}  // namespace tradewind::graph
