// Rows of a table picked by number, and sums over runs of rows: what layers over a graph are made of besides products.
// All tensors are contiguous and on one device; float32 rows. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace tradewind::nn {

// out (n, columns) = table[index]; index (n) int64.
void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out);
// Rows of a table by number; index (n) int32.
struct PickedRows {
  at::Tensor table, index;
};
// out (n, columns) = start + first.table[first.index] + second.table[second.index], then GELU of it with `gelu`; second
// may be undefined; out may be start.
void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                       at::Tensor out);
// out (segments, columns): the sums of rows [first[s], first[s + 1]) of x, whose row 0 is row first[0]; first
// (segments + 1) int64.
void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out);

}  // namespace tradewind::nn
