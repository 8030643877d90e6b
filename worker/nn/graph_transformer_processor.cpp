#include "worker/nn/graph_transformer_processor.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "worker/graph/edges.h"
#include "worker/nn/chunks.h"

namespace tradewind::nn {

GraphTransformerProcessor::GraphTransformerProcessor(
    const checkpoint::GraphTransformerProcessorDescription& description, const ProcessorContext& context)
    : raw_edges_(graph::edges_of(description.graph, context.rows.range(context.communicator.rank()))),
      halo_(context.rows, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), context.communicator,
            "processor"),
      least_chunks_(std::max<std::int64_t>(1, context.least_chunks)) {
  graph::require_nodes(description.graph, context.rows.rows(), context.rows.rows());
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  AttentionEdges edges = attention_edges(raw_edges_, {});
  at::Tensor shared;
  for (const checkpoint::GraphTransformerBlockDescription& description_of_block : description.blocks) {
    GraphTransformerBlock block(description_of_block, context.precision);
    if (block.has_edge_mlp()) {
      edges.attributes = block.prepare(raw_edges_.attributes, context.workspace);
    } else {
      if (!shared.defined()) shared = block.prepare(raw_edges_.attributes, context.workspace);
      edges.attributes = shared;
    }
    layers_.push_back({std::move(block), edges, "processor layer " + std::to_string(layers_.size())});
  }
  raw_edges_ = {};
}

void GraphTransformerProcessor::move_to(at::Device device) { move_all(device, halo_, layers_); }

void GraphTransformerProcessor::operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                                           Workspace& workspace) const {
  for (const Layer& layer : layers_) {
    // Rows are normalised by their owner, who has their condition.
    const NormalizedRows normalized(x, layer.block.norm(), condition, workspace);
    run(layer, x, condition, halo_.fetch(normalized, communicator, layer.place), workspace);
  }
}

void GraphTransformerProcessor::run(const Layer& layer, at::Tensor& x, const RowSource* condition,
                                    const at::Tensor& halo, Workspace& workspace) const {
  const GraphTransformerBlock& block = layer.block;
  const std::int64_t rows = x.size(0), width = block.attention_channels();
  if (rows == 0) return;
  const std::int64_t chunk = chunk_rows(block.widest(), (rows + least_chunks_ - 1) / least_chunks_, x.device());
  at::Tensor key = workspace.take(Workspace::key, rows + halo.size(0), width, block.stored_type());
  at::Tensor value = workspace.take(Workspace::value, rows + halo.size(0), width, block.stored_type());
  const auto each_chunk = [&](std::int64_t count, const auto& work) { for_each_chunk(count, chunk, workspace, work); };
  const auto keys_values = [&](const at::Tensor& normalized, std::int64_t first) {
    block.keys_values(normalized, nullptr, key.narrow(0, first, normalized.size(0)),
                      value.narrow(0, first, normalized.size(0)), workspace);
  };
  each_chunk(rows, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor normalized = workspace.take(Workspace::normalized, count, x.size(1));
    block.normalize(x.narrow(0, begin, count), begin, condition, normalized, workspace);
    keys_values(normalized, begin);
  });
  each_chunk(halo.size(0),
             [&](std::int64_t begin, std::int64_t count) { keys_values(halo.narrow(0, begin, count), rows + begin); });
  each_chunk(rows, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor part = x.narrow(0, begin, count);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, part.size(1));
    block.normalize(part, begin, condition, normalized, workspace);
    at::Tensor query = workspace.take(Workspace::query, count, width);
    block.queries(normalized, query, workspace);
    block.add_self(normalized, part, workspace);
    block.add_attention(query, key, value, layer.edges, begin, part, workspace);
    block.add_mlp(part, begin, condition, workspace);
  });
}

}  // namespace tradewind::nn
