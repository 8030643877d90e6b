#include "worker/nn/graph_transformer_processor.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "worker/graph/edges.h"
#include "worker/nn/chunks.h"

namespace tradewind::nn {

GraphTransformerProcessor::GraphTransformerProcessor(
    const checkpoint::GraphTransformerProcessorDescription& description, const ProcessorSite& site)
    : raw_edges_(graph::edges_of(description.graph, site.rows.range(site.communicator.rank()))),
      halo_(site.rows, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), site.communicator, "processor"),
      least_chunks_(std::max<std::int64_t>(1, site.least_chunks)) {
  graph::require_nodes(description.graph, site.rows.rows(), site.rows.rows());
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  AttentionEdges edges = attention_edges(raw_edges_, {});
  at::Tensor shared;
  for (const checkpoint::GraphTransformerBlockDescription& description_of_block : description.blocks) {
    GraphTransformerBlock block(description_of_block, site.precision);
    if (block.has_edge_mlp()) {
      edges.attributes = block.prepare(raw_edges_.attributes, site.workspace);
    } else {
      if (!shared.defined()) shared = block.prepare(raw_edges_.attributes, site.workspace);
      edges.attributes = shared;
    }
    layers_.push_back({std::move(block), edges, "processor layer " + std::to_string(layers_.size())});
  }
  raw_edges_ = {};
}

void GraphTransformerProcessor::move_to(at::Device device) { move_all(device, halo_, layers_); }

void GraphTransformerProcessor::operator()(at::Tensor x, dist::Communicator& communicator, Workspace& workspace) const {
  for (const Layer& layer : layers_) {
    const at::Tensor halo = halo_.fetch(TensorRows(x, workspace.operations()), communicator, layer.place);
    run(layer, x, halo, workspace);
  }
}

void GraphTransformerProcessor::run(const Layer& layer, at::Tensor& x, const at::Tensor& halo,
                                    Workspace& workspace) const {
  const GraphTransformerBlock& block = layer.block;
  const std::int64_t rows = x.size(0), width = block.attention_channels();
  if (rows == 0) return;
  const std::int64_t chunk = chunk_rows(block.widest(), (rows + least_chunks_ - 1) / least_chunks_, x.device());
  at::Tensor key = workspace.take(Workspace::key, rows + halo.size(0), width, block.stored_type());
  at::Tensor value = workspace.take(Workspace::value, rows + halo.size(0), width, block.stored_type());
  const auto each_chunk = [&](std::int64_t count, const auto& work) { for_each_chunk(count, chunk, workspace, work); };
  const auto keys_values = [&](const at::Tensor& from, std::int64_t first) {
    each_chunk(from.size(0), [&](std::int64_t begin, std::int64_t count) {
      at::Tensor normalized = workspace.take(Workspace::normalized, count, from.size(1));
      block.normalize(from.narrow(0, begin, count), normalized, workspace);
      block.keys_values(normalized, key.narrow(0, first + begin, count), value.narrow(0, first + begin, count),
                        workspace);
    });
  };
  keys_values(x, 0);
  keys_values(halo, rows);
  each_chunk(rows, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor part = x.narrow(0, begin, count);
    at::Tensor normalized = workspace.take(Workspace::normalized, count, part.size(1));
    block.normalize(part, normalized, workspace);
    at::Tensor query = workspace.take(Workspace::query, count, width);
    block.queries(normalized, query, workspace);
    block.add_self(normalized, part, workspace);
    block.add_attention(query, key, value, layer.edges, begin, part, workspace);
    block.add_mlp(part, workspace);
  });
}

}  // namespace tradewind::nn
