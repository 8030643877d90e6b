// Processor of the message passing family: hidden rows and the edges between them are updated in turn. The edges that
// end in a rank's rows are its own, so their latents never travel; before each layer the halo, the rows of other ranks
// in which own edges start, is fetched. Edge latents (edges, channels) live from layer to layer, terms of rows for one
// layer, everything wider for one chunk of edges.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "worker/nn/graph_conv_block.h"
#include "worker/nn/processor.h"
#include "worker/nn/source_table.h"

namespace tradewind::nn {

class GraphConvProcessor : public Processor {
 public:
  GraphConvProcessor(const checkpoint::GraphConvProcessorDescription& description, const ProcessorContext& context);
  void move_to(at::Device device) override;
  void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const override;

 private:
  void run(std::size_t layer, at::Tensor& x, const at::Tensor& halo, at::Tensor& latents, Workspace& workspace) const;

  graph::Edges raw_edges_;  // given up at the end of the construction
  SourceHalo halo_;
  std::vector<GraphConvBlock> layers_;
  std::vector<std::string> places_;  // of the layers
  std::optional<EdgeEmbedding> embedding_;
  MessageEdges edges_;
  std::int64_t chunk_ = 1;  // rows of a chunk of nodes
};

}  // namespace tradewind::nn
