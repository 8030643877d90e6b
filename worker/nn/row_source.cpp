#include "worker/nn/row_source.h"

#include <ATen/ATen.h>

#include "worker/nn/operations.h"

namespace tradewind::nn {

void RowSource::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  rows(at::arange(begin, end, at::TensorOptions().dtype(at::kLong).device(out.device())), out);
}

void SameRows::rows(const at::Tensor&, at::Tensor out) const { out.copy_(row_.expand_as(out)); }

void TensorRows::rows(const at::Tensor& which, at::Tensor out) const {
  operations_.gather_rows(own_, which, std::move(out));
}

void TensorRows::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  out.copy_(own_.slice(0, begin, end));
}

}  // namespace tradewind::nn
