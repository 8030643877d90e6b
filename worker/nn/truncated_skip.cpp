#include "worker/nn/truncated_skip.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "common/errors.h"
#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

constexpr std::int64_t kRowsAtOnce = 1 << 14;

}  // namespace

TruncatedSkip::TruncatedSkip(const checkpoint::TruncatedResidualDescription& residual,
                             const checkpoint::DatasetDescription& dataset, const dist::Shards& rows,
                             dist::Communicator& communicator, const std::string& place)
    : columns_(at::tensor(dataset.prognostic_input, at::kLong)) {
  dist::Shards sources = rows;
  for (std::size_t i = 0; i < residual.matrices.size(); ++i) {
    const checkpoint::SparseDescriptor& matrix = residual.matrices[i];
    const bool last = i + 1 == residual.matrices.size();
    if (matrix.columns != sources.rows() || (last && matrix.rows != rows.rows())) {
      throw UserError("the matrices of the residual and the grid do not fit each other", matrix.path,
                      "the checkpoint is damaged or of an unknown layout");
    }
    const dist::Shards destinations = last ? rows : dist::Shards(matrix.rows, communicator.size());
    products_.emplace_back(matrix, sources, destinations, communicator, place + " " + std::to_string(i + 1));
    sources = destinations;
  }
}

void TruncatedSkip::move_to(at::Device device) { move_all(device, columns_, products_); }

at::Tensor TruncatedSkip::operator()(const at::Tensor& x, const preprocess::Preprocessing& preprocessing,
                                     dist::Communicator& communicator, const Operations& operations) const {
  at::Tensor rows = normalized(x, preprocessing);
  for (const SparseProduct& product : products_) rows = product(rows, communicator, operations);
  return rows;
}

at::Tensor TruncatedSkip::normalized(const at::Tensor& x, const preprocess::Preprocessing& preprocessing) const {
  const at::Tensor latest = x.select(0, x.size(0) - 1);
  if (const preprocess::Affine* affine = preprocessing.forward_affine()) {
    return latest.index_select(1, columns_)
        .mul_(affine->multiply.index_select(0, columns_))
        .add_(affine->add.index_select(0, columns_));
  }
  at::Tensor out = at::empty({latest.size(0), columns_.size(0)}, latest.options());
  for (std::int64_t first = 0; first < out.size(0); first += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, out.size(0) - first);
    at::Tensor values = latest.narrow(0, first, count).clone();
    preprocessing.forward(values, preprocessing.masks(x.select(0, 0).narrow(0, first, count)));
    out.narrow(0, first, count).copy_(values.index_select(1, columns_));
  }
  return out;
}

}  // namespace tradewind::nn
