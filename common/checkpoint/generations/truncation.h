// Readers of sparse matrices and of the residual connections made of them, in their three layouts: attributes of the
// model (anemoi-models 0.5 to 0.9.5), of its `truncation` (0.9.6 to 0.10), and a residual connection (from 0.11). Pure,
// thread-safe. Errors: UserError with class and path.
#pragma once

#include <optional>

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

// A matrix of float32 with `rows` and `columns` (kAnySize: any), every entry of which lies in it. Reads all indices.
const SparseDescriptor& read_sparse_matrix(const Node& node, std::int64_t rows, std::int64_t columns);

// The matrix of a ProjectionGraphProvider; UserError for a projector that multiplies in another precision.
Node matrix_of_provider(const Node& provider);
void refuse_autocast(const Node& projector);

// Of a model without a residual connection of its own; absent when it does not truncate.
std::optional<TruncatedResidualDescription> find_truncation(const Node& model, const ModelSizes& sizes);

ResidualDescription read_truncated_residual(const Node& node, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
