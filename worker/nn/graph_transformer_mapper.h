// Encoder or decoder of the graph transformer family: destination rows attend to source rows along the edges of a
// bipartite graph. Source rows of other ranks are the halo. Keys and values live for one piece of destination rows at a
// time, everything wider for one chunk.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "worker/nn/graph_transformer_block.h"
#include "worker/nn/mapper.h"
#include "worker/nn/source_table.h"

namespace tradewind::nn {

class GraphTransformerMapper : public Mapper {
 public:
  GraphTransformerMapper(const checkpoint::GraphTransformerMapperDescription& description,
                         const MapperContext& context);

  void move_to(at::Device device) override;
  std::int64_t outputs() const override;
  // Their embedding; and queries and self part, unless those depend on a condition.
  void fix_destinations(const at::Tensor& rows, Workspace& workspace) override;
  void operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition, const Sink& sink,
                  dist::Communicator& communicator, Workspace& workspace) const override;

 private:
  struct Piece {
    dist::RowRange rows;  // of the destination
    TableRows sources;    // the rows that its edges start from
    void move_to(at::Device device) { sources.move_to(device); }
  };
  at::Tensor embed_destinations(const RowSource& rows, std::int64_t begin, std::int64_t count,
                                Workspace& workspace) const;
  void compute_sources(const SourceTable& sources, const SameRows* condition, const Piece& piece, at::Tensor& key,
                       at::Tensor& value, Workspace& workspace) const;
  struct Destinations {
    const RowSource* given;  // null: fixed
    const SameRows* condition;
    dist::RowRange rows;
  };
  void compute_destinations(const at::Tensor& key, const at::Tensor& value, const Destinations& destinations,
                            const Sink& sink, Workspace& workspace) const;
  // x: embedded, which becomes x + projection(self) + bias.
  void prepare_destinations(at::Tensor x, std::int64_t begin, const SameRows* condition, at::Tensor query,
                            Workspace& workspace) const;

  GraphTransformerBlock block_;
  std::optional<Linear> source_embedding_, destination_embedding_;
  std::optional<Sequential> extractor_;
  graph::Edges raw_edges_;  // given up at the end of the construction
  SourceHalo halo_;
  std::vector<Piece> pieces_;
  AttentionEdges edges_;
  std::int64_t chunk_limit_, chunk_;  // rows of a chunk
  // Of fixed destinations: as prepare_destinations() leaves them, or embedded, without queries, where a condition of
  // each call comes to them.
  at::Tensor fixed_query_, fixed_result_;
};

}  // namespace tradewind::nn
