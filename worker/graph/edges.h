// The edges that end in a range of destination rows, in CSR order, and the attributes of nodes and edges. Built once at
// load. Plain values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/dist/shards.h"

namespace tradewind::graph {

struct Edges {
  std::vector<std::int64_t> first;   // (rows + 1): edges of row i are [first[i], first[i + 1])
  std::vector<std::int32_t> source;  // row of the source; what table of rows it points into is the holder's matter
  at::Tensor attributes;             // (edges, attributes + trainable), float32
  std::int64_t rows() const { return static_cast<std::int64_t>(first.size()) - 1; }
  std::int64_t count() const { return static_cast<std::int64_t>(source.size()); }
};

// UserError unless the graph joins this many nodes.
void require_nodes(const checkpoint::GraphDescription& graph, std::int64_t sources, std::int64_t destinations);

// Edges of one destination keep the order in which the checkpoint has them. Sources are global rows.
Edges edges_of(const checkpoint::GraphDescription& graph, dist::RowRange destinations);

// The distinct sources of the edges of rows [begin, end), sorted.
std::vector<std::int64_t> distinct_sources(const Edges& edges, dist::RowRange rows);

// Coordinates and trainable values of nodes [begin, end): (rows, 4 + k) float32.
at::Tensor node_attributes(const checkpoint::NodeDescription& nodes, dist::RowRange rows);

}  // namespace tradewind::graph
