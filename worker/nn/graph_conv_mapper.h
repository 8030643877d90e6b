// Encoder or decoder of the message passing family. Source rows of other ranks are the halo. What the edges bring does
// not change between steps: their terms of the edge MLP's first layer are kept if they are few enough, with the
// destinations' terms added when these are fixed, and so is the sum of the edges' own part of the messages. Source
// terms live for one piece of destination rows, everything wider for one chunk of edges.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <vector>

#include "worker/nn/graph_conv_block.h"
#include "worker/nn/mapper.h"
#include "worker/nn/source_table.h"

namespace tradewind::nn {

class GraphConvMapper : public Mapper {
 public:
  GraphConvMapper(const checkpoint::GraphConvMapperDescription& description, const MapperContext& context);

  void move_to(at::Device device) override;
  std::int64_t outputs() const override;
  void fix_destinations(const at::Tensor& rows, Workspace& workspace) override;
  void operator()(const RowSource& sources, const RowSource* destinations, const SameRows* condition, const Sink& sink,
                  dist::Communicator& communicator, Workspace& workspace) const override;
  std::unique_ptr<RowSource> updated_sources(const RowSource& sources, Workspace& workspace) const override;

 private:
  struct Piece {
    TableRows sources;  // the rows that its edges start from
    std::size_t first_chunk = 0, chunks = 0;
    void move_to(at::Device device) { sources.move_to(device); }
  };
  void keep_edges(const checkpoint::SequentialDescription& description, const at::Tensor& attributes,
                  const MapperContext& context);
  Lanes source_terms(const SourceTable& sources, const TableRows& rows, Workspace& workspace) const;
  void run_chunk(const EdgeChunk& chunk, const Lanes& sources, const RowSource* destinations, const Sink& sink,
                 Workspace& workspace) const;
  // Of a chunk: kept ones, or made in `memory`.
  Lanes edge_terms(const EdgeChunk& chunk, const Lanes& memory, Workspace& workspace) const;
  at::Tensor destination_rows(const RowSource& rows, dist::RowRange range, Workspace& workspace) const;

  GraphConvBlock block_;
  std::optional<Sequential> source_embedding_, destination_embedding_, extractor_;
  bool update_sources_;
  graph::Edges raw_edges_;  // given up at the end of the construction
  SourceHalo halo_;
  std::int64_t chunk_;  // rows of a chunk of nodes
  std::vector<Piece> pieces_;
  MessageEdges edges_;
  std::optional<EdgeEmbedding> embedding_;  // when edge terms are not kept
  Lanes edge_terms_;                        // (edges, width) when they are
  at::Tensor edge_sums_;                    // (rows, channels): embedded edges by destination
  at::Tensor fixed_;                        // fixed destinations, embedded
  Lanes fixed_terms_;                       // their terms, when those are not in the edge terms
};

}  // namespace tradewind::nn
