// Rows of a sparse matrix, entry by entry. Built once at load. Plain values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "common/checkpoint/tensor_descriptor.h"
#include "worker/dist/shards.h"

namespace tradewind::graph {

struct SparseRows {
  std::vector<std::int64_t> first;   // (rows + 1): entries of row i are [first[i], first[i + 1])
  std::vector<std::int32_t> column;  // (entries); what table of rows it points into is the holder's matter
  at::Tensor weight;                 // (entries), float32
  std::int64_t rows() const { return static_cast<std::int64_t>(first.size()) - 1; }
};

// Entries of one row keep the order in which the checkpoint has them. Columns are global. UserError where an index is
// out of range.
SparseRows rows_of(const checkpoint::SparseDescriptor& matrix, dist::RowRange rows);

}  // namespace tradewind::graph
