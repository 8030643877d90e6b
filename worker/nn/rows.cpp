#include "worker/nn/rows.h"

#include "worker/nn/operations.h"

namespace tradewind::nn {

void gather_rows(const at::Tensor& table, const at::Tensor& index, at::Tensor out) {
  operations(table).gather_rows(table, index, out);
}

void sum_gathered_rows(const at::Tensor& start, const PickedRows& first, const PickedRows& second, bool gelu,
                       at::Tensor out) {
  operations(start).sum_gathered_rows(start, first, second, gelu, out);
}

void sum_segments(const at::Tensor& x, const at::Tensor& first, at::Tensor out) {
  operations(x).sum_segments(x, first, out);
}

}  // namespace tradewind::nn
