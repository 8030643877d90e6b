// A sparse matrix times rows: this rank's rows of the result from its own rows of the factor and those of others that
// its entries reach, which are fetched at each call; or from a factor that every rank has whole. Built on the CPU;
// immutable afterwards but for move_to. Not thread-safe (communicator).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "common/checkpoint/tensor_descriptor.h"
#include "worker/dist/communicator.h"
#include "worker/dist/halo.h"
#include "worker/dist/shards.h"
#include "worker/graph/sparse_rows.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {

class SparseProduct {
 public:
  // sources: shards of the matrix's columns; destinations: of its rows. Collective.
  SparseProduct(const checkpoint::SparseDescriptor& matrix, const dist::Shards& sources,
                const dist::Shards& destinations, dist::Communicator& communicator, std::string place);
  // Of a factor that every rank has whole: nothing is exchanged. destinations: own rows of the matrix.
  SparseProduct(const checkpoint::SparseDescriptor& matrix, dist::RowRange destinations);
  void move_to(at::Device device);
  // x (own source rows, columns) float32 contiguous; (own destination rows, columns), likewise. Every row is summed in
  // the order of the checkpoint's entries, whatever the number of ranks. Collective.
  at::Tensor operator()(const at::Tensor& x, dist::Communicator& communicator, const Operations& operations) const;

 private:
  // Rows whose entries are few enough for a device that multiplies before it sums.
  struct Piece {
    dist::RowRange rows;
    SparseEntries entries;
  };
  SparseProduct(graph::SparseRows rows, const dist::Shards& sources, dist::Communicator& communicator,
                std::string place);
  void cut(const graph::SparseRows& rows);

  std::string place_;
  std::optional<dist::HaloPlan> plan_;  // none: the factor is whole
  std::int64_t rows_;
  std::vector<Piece> pieces_;
};

}  // namespace tradewind::nn
