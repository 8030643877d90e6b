// Message passing over edges in CSR order: the parts that GNN mappers and the GNN processor put together. See
// GraphConvBlockDescription for the formula. The first layer of the edge MLP is split: products of source and
// destination rows are made once a row, those of edges once an edge, and what is wider lives for one chunk of edges. A
// chunk holds whole destinations, so that sums need no second pass. Immutable; thread-safe as long as workspaces are
// not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "worker/graph/edges.h"
#include "worker/nn/split_mlp.h"

namespace tradewind::nn {

// Edges of consecutive destination rows.
struct EdgeChunk {
  dist::RowRange rows;
  std::int64_t first = 0, count = 0;  // edges
};

struct MessageEdges {
  at::Tensor first;   // (rows + 1) int64: edges of row i are [first[i], first[i + 1])
  at::Tensor source;  // (edges) int32
  at::Tensor target;  // (edges) int32: destination row, counted from the first of the edge's chunk
  std::vector<EdgeChunk> chunks;
  void move_to(at::Device device) { move_all(device, first, source, target); }
};
// ranges: consecutive ranges of destination rows, which no chunk crosses. A chunk has at most `edges_limit` edges and
// `rows_limit` rows, or one row.
MessageEdges message_edges(const graph::Edges& edges, const std::vector<dist::RowRange>& ranges,
                           std::int64_t edges_limit, std::int64_t rows_limit);

class GraphConvBlock {
 public:
  GraphConvBlock(const checkpoint::GraphConvBlockDescription& description, std::int64_t channels, Precision precision);

  void move_to(at::Device device) { move_all(device, edge_mlp_, node_mlp_); }
  std::int64_t channels() const { return channels_; }
  std::int64_t widest() const { return std::max(edge_mlp_.widest(), node_mlp_.widest()); }
  int lanes() const { return edge_mlp_.lanes(); }
  std::int64_t width() const { return edge_mlp_.width(); }

  // Terms of the edge MLP's first layer, (rows, width) a lane.
  void destination_terms(const at::Tensor& x, const Lanes& terms, Workspace& workspace) const;
  void source_terms(const at::Tensor& x, const Lanes& terms, Workspace& workspace) const;
  void edge_terms(const at::Tensor& e, const Lanes& terms, Workspace& workspace) const;  // with the bias
  // messages (edges of the chunk, channels) = edge_mlp, from the chunk's edge terms, or += that with `add`; sums:
  // scratch memory like the edge terms, may be the same; destinations: terms of the chunk's rows, undefined when they
  // are in the edge terms already; sources: a table for edges.source.
  void messages(const MessageEdges& edges, const EdgeChunk& chunk, const Lanes& edge_terms, const Lanes& destinations,
                const Lanes& sources, const Lanes& sums, at::Tensor messages, bool add, Workspace& workspace) const;
  // x += node_mlp([x, summed])
  void add_nodes(const at::Tensor& summed, at::Tensor x, Workspace& workspace) const;
  // x += node_mlp([x, x])
  void update_sources(const at::Tensor& x, Workspace& workspace) const { add_nodes(x, x, workspace); }

 private:
  std::int64_t channels_;
  SplitMlp edge_mlp_, node_mlp_;
};

// Lanes of scratch memory.
Lanes take_lanes(Workspace& workspace, int lanes, Workspace::Purpose first, Workspace::Purpose second,
                 std::int64_t rows, std::int64_t columns);

// The embedded attributes of edges, made again for every chunk unless they are kept.
class EdgeEmbedding {
 public:
  // attributes (edges, n) float32.
  EdgeEmbedding(const checkpoint::SequentialDescription& description, at::Tensor attributes, std::int64_t channels,
                Precision precision);
  void move_to(at::Device device) { move_all(device, mlp_, attributes_, kept_); }
  // Makes them once, if they take no more than these bytes.
  void keep(std::int64_t limit, Workspace& workspace);
  // (count, channels) of edges [first, first + count): kept memory, or scratch that is valid until the next call. Not
  // to be written to.
  at::Tensor rows(std::int64_t first, std::int64_t count, Workspace& workspace) const;

 private:
  Sequential mlp_;
  std::int64_t channels_;
  at::Tensor attributes_, kept_;
};

}  // namespace tradewind::nn
