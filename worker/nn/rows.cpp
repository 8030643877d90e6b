#include "worker/nn/rows.h"

#include "worker/nn/operations.h"

namespace tradewind::nn {

void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) {
  operations(table).gather_rows(table, index, out);
}

void add_gathered_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) {
  operations(table).add_gathered_rows(table, index, out);
}

void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) {
  operations(x).sum_segments(x, first, out);
}

}  // namespace tradewind::nn
