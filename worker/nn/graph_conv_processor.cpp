#include "worker/nn/graph_conv_processor.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {

GraphConvProcessor::GraphConvProcessor(const checkpoint::GraphConvProcessorDescription& description,
                                       const ProcessorContext& context)
    : raw_edges_(graph::edges_of(description.graph, context.rows.range(context.communicator.rank()))),
      halo_(context.rows, graph::distinct_sources(raw_edges_, {0, raw_edges_.rows()}), context.communicator,
            "processor") {
  graph::require_nodes(description.graph, context.rows.rows(), context.rows.rows());
  for (std::int32_t& source : raw_edges_.source) source = static_cast<std::int32_t>(halo_.table_row(source));
  std::int64_t widest = 1;
  for (const checkpoint::GraphConvBlockDescription& block : description.blocks) {
    places_.push_back("processor layer " + std::to_string(layers_.size()));
    layers_.emplace_back(block, description.channels, context.precision);
    widest = std::max(widest, layers_.back().widest());
  }
  const std::int64_t rows = raw_edges_.rows(), least = std::max<std::int64_t>(1, context.least_chunks);
  chunk_ = chunk_rows(widest, std::max<std::int64_t>(1, (rows + least - 1) / least));
  const std::int64_t edges_limit = std::max<std::int64_t>(1, (raw_edges_.count() + least - 1) / least);
  edges_ = message_edges(raw_edges_, {{0, rows}},
                         shared_chunk(raw_edges_.count(), chunk_rows(widest, edges_limit), context.workspace),
                         shared_chunk(rows, chunk_, context.workspace));
  embedding_.emplace(description.edge_embedding, raw_edges_.attributes, description.channels, context.precision);
  embedding_->keep(context.kept_bytes, context.workspace);
  raw_edges_ = {};
}

void GraphConvProcessor::move_to(at::Device device) { move_all(device, halo_, layers_, embedding_, edges_); }

void GraphConvProcessor::operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                                    Workspace& workspace) const {
  if (condition) throw InternalFault("a message passing processor takes no condition");
  at::Tensor latents;  // of all edges when there is a layer that reads what another left
  if (layers_.size() > 1) latents = workspace.take(Workspace::latents, edges_.source.size(0), x.size(1));
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const at::Tensor halo = halo_.fetch(TensorRows(x, workspace.operations()), communicator, places_[layer]);
    run(layer, x, halo, latents, workspace);
  }
}

void GraphConvProcessor::run(std::size_t layer, at::Tensor& x, const at::Tensor& halo, at::Tensor& latents,
                             Workspace& workspace) const {
  const GraphConvBlock& block = layers_[layer];
  const std::int64_t rows = x.size(0), width = block.width();
  // Before any row changes: the terms of all rows.
  const Lanes sources =
      take_lanes(workspace, block.lanes(), Workspace::key, Workspace::value, rows + halo.size(0), width);
  const Lanes targets = take_lanes(workspace, block.lanes(), Workspace::query, Workspace::attended, rows, width);
  for_each_chunk(rows, chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    block.source_terms(x.narrow(0, begin, count), narrowed(sources, begin, count), workspace);
    block.destination_terms(x.narrow(0, begin, count), narrowed(targets, begin, count), workspace);
  });
  for_each_chunk(halo.size(0), chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    block.source_terms(halo.narrow(0, begin, count), narrowed(sources, rows + begin, count), workspace);
  });
  for_each_task(static_cast<std::int64_t>(edges_.chunks.size()), workspace, [&](std::int64_t number) {
    const EdgeChunk& chunk = edges_.chunks[static_cast<std::size_t>(number)];
    at::Tensor summed = workspace.take(Workspace::summed, chunk.rows.size(), block.channels());
    if (chunk.count > 0) {
      at::Tensor edges = latents.defined() ? latents.narrow(0, chunk.first, chunk.count)
                                           : workspace.take(Workspace::messages, chunk.count, block.channels());
      if (layer == 0) edges.copy_(embedding_->rows(chunk.first, chunk.count, workspace));
      const Lanes sums =
          take_lanes(workspace, block.lanes(), Workspace::sums, Workspace::sums_other, chunk.count, width);
      block.edge_terms(edges, sums, workspace);
      block.messages(edges_, chunk, sums, narrowed(targets, chunk.rows.begin, chunk.rows.size()), sources, sums, edges,
                     true, workspace);
      workspace.operations().sum_segments(edges, edges_.first.narrow(0, chunk.rows.begin, chunk.rows.size() + 1),
                                          summed);
    } else {
      summed.zero_();
    }
    block.add_nodes(summed, x.narrow(0, chunk.rows.begin, chunk.rows.size()), workspace);
  });
}

}  // namespace tradewind::nn
