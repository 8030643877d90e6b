// Reader of a graph's edges, wherever a generation keeps them (in a provider, or in the mapper itself). Checks that
// every edge joins existing nodes. Pure, thread-safe. Errors: UserError with path.
#pragma once

#include "common/checkpoint/description.h"
#include "common/checkpoint/tree.h"

namespace tradewind::checkpoint {

// `holder` has edge_index_base, edge_attr and trainable.
GraphDescription read_edges(const Node& holder, std::int64_t sources, std::int64_t destinations);
// Width of an edge's attributes and trainable values together.
std::int64_t edge_channels(const GraphDescription& graph);

// A TrainableTensor's values, (rows, any), absent when it has none.
std::optional<TensorDescriptor> read_trainable(const Node& node, std::int64_t rows);

}  // namespace tradewind::checkpoint
