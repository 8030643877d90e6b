// What a truncated residual adds: the latest input, normalised, to a coarse grid and back. No rank holds more than its
// own rows of either grid and those that its matrices' entries reach. Built on the CPU; immutable afterwards but for
// move_to. Not thread-safe (communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/sparse_product.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

class TruncatedSkip {
 public:
  // rows: shards of the dataset's nodes. Collective.
  TruncatedSkip(const checkpoint::TruncatedResidualDescription& residual, const checkpoint::DatasetDescription& dataset,
                const dist::Shards& rows, dist::Communicator& communicator, const std::string& place);
  void move_to(at::Device device);
  // x (input steps, own rows, input variables) raw; (own rows, prognostic variables) float32. Collective.
  at::Tensor operator()(const at::Tensor& x, const preprocess::Preprocessing& preprocessing,
                        dist::Communicator& communicator, const Operations& operations) const;

 private:
  at::Tensor normalized(const at::Tensor& x, const preprocess::Preprocessing& preprocessing) const;

  at::Tensor columns_;  // of the input, of the prognostic variables
  std::vector<SparseProduct> products_;
};

}  // namespace tradewind::nn
