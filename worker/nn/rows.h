// Rows of a table picked by number, and sums over runs of rows: what layers over a graph are made of besides products.
// All tensors are contiguous and on one device; float32 rows. Stateless, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

namespace tradewind::nn {

// out (n, columns) = table[index]; index (n) int64.
void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out);
// out (n, columns) += table[index]; index (n) int32.
void add_gathered_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out);
// out (segments, columns): the sums of rows [first[s], first[s + 1]) of x, whose row 0 is row first[0]; first
// (segments + 1) int64.
void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out);

}  // namespace tradewind::nn
