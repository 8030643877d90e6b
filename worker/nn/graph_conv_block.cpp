#include "worker/nn/graph_conv_block.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "common/errors.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {

MessageEdges message_edges(const graph::Edges& edges, const std::vector<dist::RowRange>& ranges,
                           std::int64_t edges_limit, std::int64_t rows_limit) {
  MessageEdges out;
  std::vector<std::int32_t> target(edges.source.size());
  const auto first_of = [&](std::int64_t row) { return edges.first[static_cast<std::size_t>(row)]; };
  for (const dist::RowRange& range : ranges) {
    for (std::int64_t begin = range.begin; begin < range.end;) {
      std::int64_t end = begin + 1;
      while (end < range.end && end - begin < rows_limit && first_of(end + 1) - first_of(begin) <= edges_limit) ++end;
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t edge = first_of(row); edge < first_of(row + 1); ++edge) {
          target[static_cast<std::size_t>(edge)] = static_cast<std::int32_t>(row - begin);
        }
      }
      out.chunks.push_back({{begin, end}, first_of(begin), first_of(end) - first_of(begin)});
      begin = end;
    }
  }
  out.first = at::tensor(edges.first, at::kLong);
  out.source = at::tensor(edges.source, at::kInt);
  out.target = at::tensor(target, at::kInt);
  return out;
}

GraphConvBlock::GraphConvBlock(const checkpoint::GraphConvBlockDescription& description, std::int64_t channels,
                               Precision precision)
    : channels_(channels),
      edge_mlp_(description.edge_mlp, {channels, channels, channels}, precision),
      node_mlp_(description.node_mlp, {channels, channels}, precision) {
  if (edge_mlp_.outputs() != channels || node_mlp_.outputs() != channels) {
    throw UserError("the MLPs of a message passing block do not give " + std::to_string(channels) + " channels", {},
                    "the checkpoint is damaged or of an unknown layout");
  }
}

void GraphConvBlock::destination_terms(const at::Tensor& x, const Lanes& terms, Workspace& workspace) const {
  edge_mlp_.project(0, x, terms, workspace);
}

void GraphConvBlock::source_terms(const at::Tensor& x, const Lanes& terms, Workspace& workspace) const {
  edge_mlp_.project(1, x, terms, workspace);
}

void GraphConvBlock::edge_terms(const at::Tensor& e, const Lanes& terms, Workspace& workspace) const {
  edge_mlp_.project(2, e, terms, workspace);
}

void GraphConvBlock::messages(const MessageEdges& edges, const EdgeChunk& chunk, const Lanes& edge_terms,
                              const Lanes& destinations, const Lanes& sources, const Lanes& sums, at::Tensor messages,
                              bool add, Workspace& workspace) const {
  edge_mlp_.complete(edge_terms, sources, edges.source.narrow(0, chunk.first, chunk.count), destinations,
                     edges.target.narrow(0, chunk.first, chunk.count), sums, workspace);
  edge_mlp_.finish(sums, std::move(messages), add, workspace);
}

void GraphConvBlock::add_nodes(const at::Tensor& summed, at::Tensor x, Workspace& workspace) const {
  const Lanes sums =
      take_lanes(workspace, node_mlp_.lanes(), Workspace::sums, Workspace::sums_other, x.size(0), node_mlp_.width());
  node_mlp_.project(1, summed, sums, workspace);
  node_mlp_.complete(0, x, sums, workspace);
  node_mlp_.finish(sums, std::move(x), true, workspace);
}

Lanes take_lanes(Workspace& workspace, int lanes, Workspace::Purpose first, Workspace::Purpose second,
                 std::int64_t rows, std::int64_t columns) {
  Lanes taken{workspace.take(first, rows, columns), {}};
  if (lanes > 1) taken[1] = workspace.take(second, rows, columns);
  return taken;
}

EdgeEmbedding::EdgeEmbedding(const checkpoint::SequentialDescription& description, at::Tensor attributes,
                             std::int64_t channels, Precision precision)
    : mlp_(description, precision), channels_(channels), attributes_(attributes.contiguous()) {
  if (mlp_.outputs(attributes_.size(1)) != channels) {
    throw UserError("the embedding of edges does not give " + std::to_string(channels) + " channels", {},
                    "the checkpoint is damaged or of an unknown layout");
  }
}

void EdgeEmbedding::keep(std::int64_t limit, Workspace& workspace) {
  const std::int64_t edges = attributes_.size(0);
  if (edges * channels_ * 4 > limit) return;
  at::Tensor embedded = at::empty({edges, channels_}, attributes_.options());
  const std::int64_t chunk = chunk_rows(mlp_.widest(), std::max<std::int64_t>(1, edges));
  for (std::int64_t begin = 0; begin < edges; begin += chunk) {
    const std::int64_t count = std::min(chunk, edges - begin);
    mlp_(attributes_.narrow(0, begin, count), embedded.narrow(0, begin, count), false, workspace);
  }
  kept_ = embedded;
  attributes_.reset();
}

at::Tensor EdgeEmbedding::rows(std::int64_t first, std::int64_t count, Workspace& workspace) const {
  if (kept_.defined()) return kept_.narrow(0, first, count);
  at::Tensor embedded = workspace.take(Workspace::embedded, count, channels_);
  mlp_(attributes_.narrow(0, first, count), embedded, false, workspace);
  return embedded;
}

}  // namespace tradewind::nn
