// Processor of the graph transformer family: the hidden rows attend to each other along the edges of a graph. Before
// each layer the halo, the rows of other ranks in which own edges start, is fetched. Keys and values of own and halo
// rows live for one layer, everything wider for one chunk of rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "worker/nn/graph_transformer_block.h"
#include "worker/nn/processor.h"
#include "worker/nn/source_table.h"

namespace tradewind::nn {

class GraphTransformerProcessor : public Processor {
 public:
  GraphTransformerProcessor(const checkpoint::GraphTransformerProcessorDescription& description,
                            const ProcessorContext& context);
  void move_to(at::Device device) override;
  void operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const override;

 private:
  struct Layer {
    GraphTransformerBlock block;
    AttentionEdges edges;  // layers without an edge MLP share one
    std::string place;
    void move_to(at::Device device) { move_all(device, block, edges); }
  };
  // halo: normalised.
  void run(const Layer& layer, at::Tensor& x, const RowSource* condition, const at::Tensor& halo,
           Workspace& workspace) const;

  graph::Edges raw_edges_;  // given up at the end of the construction
  SourceHalo halo_;
  std::vector<Layer> layers_;
  std::int64_t least_chunks_;
};

}  // namespace tradewind::nn
