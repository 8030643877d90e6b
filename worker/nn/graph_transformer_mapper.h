// Encoder or decoder: destination rows attend to source rows along the edges of a bipartite graph. A rank owns its rows
// of both and computes its destination rows; source rows of other ranks are its halo, which the caller exchanges.
// Keys and values live for one piece of destination rows at a time, everything wider for one chunk.
// Not thread-safe (workspace).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "worker/dist/halo.h"
#include "worker/graph/pieces.h"
#include "worker/nn/graph_transformer_block.h"
#include "worker/nn/row_source.h"

namespace tradewind::nn {

class GraphTransformerMapper {
 public:
  // least_pieces: at least as many pieces of destination rows. Collective: plans the halo.
  GraphTransformerMapper(const checkpoint::GraphTransformerMapperDescription& description, config::Precision precision,
                         const dist::Shards& sources, const dist::Shards& destinations,
                         dist::Communicator& communicator, const std::string& place, std::int64_t least_pieces,
                         Workspace& workspace);

  const dist::HaloPlan& halo() const { return halo_; }
  std::int64_t outputs() const;

  // For destinations that never change (rows, inputs): their embedding, queries and self part are computed here, once.
  void fix_destinations(const at::Tensor& rows, Workspace& workspace);

  // Called with consecutive chunks of this rank's destination rows: the first row, and (rows, outputs) float32 that is
  // valid during the call.
  using Sink = std::function<void(std::int64_t first, const at::Tensor& rows)>;
  // sources: own rows then halo rows. destinations: own rows; null when they are fixed.
  void operator()(const RowSource& sources, const RowSource* destinations, const Sink& sink,
                  Workspace& workspace) const;

 private:
  at::Tensor embed(const RowSource& rows, std::span<const std::int64_t> which, const std::optional<Linear>& embedding,
                   Workspace& workspace) const;
  void compute_sources(const RowSource& sources, const graph::Piece& piece, at::Tensor& key, at::Tensor& value,
                       Workspace& workspace) const;
  void compute_destinations(const at::Tensor& key, const at::Tensor& value, const RowSource* destinations,
                            dist::RowRange rows, const Sink& sink, Workspace& workspace) const;

  GraphTransformerBlock block_;
  std::optional<Linear> source_embedding_, destination_embedding_;
  std::optional<Sequential> extractor_;
  graph::Edges raw_edges_;  // moved into edges_ while constructing
  dist::HaloPlan halo_;
  std::vector<graph::Piece> pieces_;
  AttentionEdges edges_;
  std::int64_t chunk_;                     // rows of a chunk
  at::Tensor fixed_query_, fixed_result_;  // of fixed destinations: queries, and x + projection(self) + bias
};

}  // namespace tradewind::nn
