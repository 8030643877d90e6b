#include "worker/graph/edges.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <string>

#include "common/errors.h"
#include "worker/weights/bind.h"

namespace tradewind::graph {
namespace {

void check(const checkpoint::GraphDescription& graph) {
  const auto& index = graph.edge_index;
  const bool shape = index.shape.size() == 2 && index.shape[0] == 2 && index.shape[1] == graph.edges;
  const auto edges_long = [&](const checkpoint::TensorDescriptor& tensor) {
    return tensor.shape.size() == 2 && tensor.shape[0] == graph.edges;
  };
  if (!shape || !edges_long(graph.attributes) || (graph.trainable && !edges_long(*graph.trainable))) {
    throw UserError("the edges and their attributes differ in number (" + std::to_string(graph.edges) + " edges)",
                    index.path, "the checkpoint is damaged or of an unknown layout");
  }
  if (graph.sources > std::numeric_limits<std::int32_t>::max()) {
    throw UserError("more than 2^31 source nodes", index.path);
  }
}

}  // namespace

void require_nodes(const checkpoint::GraphDescription& graph, std::int64_t sources, std::int64_t destinations) {
  if (graph.sources == sources && graph.destinations == destinations) return;
  throw UserError("the graph and its nodes differ in number", graph.edge_index.path,
                  "the checkpoint is damaged or of an unknown layout");
}

Edges edges_of(const checkpoint::GraphDescription& graph, dist::RowRange destinations) {
  check(graph);
  const at::Tensor index = weights::bind(graph.edge_index).to(at::kLong).contiguous();
  const std::int64_t* sources = index.const_data_ptr<std::int64_t>();
  const std::int64_t* targets = sources + graph.edges;
  Edges edges;
  edges.first.assign(static_cast<std::size_t>(destinations.size() + 1), 0);
  for (std::int64_t edge = 0; edge < graph.edges; ++edge) {
    if (sources[edge] < 0 || sources[edge] >= graph.sources || targets[edge] < 0 ||
        targets[edge] >= graph.destinations) {
      throw UserError("edge " + std::to_string(edge) + " joins nodes that do not exist", graph.edge_index.path,
                      "the checkpoint is damaged");
    }
    const std::int64_t row = targets[edge] - destinations.begin;
    if (row >= 0 && row < destinations.size()) ++edges.first[static_cast<std::size_t>(row + 1)];
  }
  for (std::size_t row = 1; row < edges.first.size(); ++row) edges.first[row] += edges.first[row - 1];
  std::vector<std::int64_t> next(edges.first.begin(), edges.first.end() - 1);
  at::Tensor order = at::empty({edges.first.back()}, at::kLong);
  auto* order_of = order.mutable_data_ptr<std::int64_t>();
  edges.source.resize(static_cast<std::size_t>(edges.first.back()));
  for (std::int64_t edge = 0; edge < graph.edges; ++edge) {
    const std::int64_t row = targets[edge] - destinations.begin;
    if (row < 0 || row >= destinations.size()) continue;
    const std::int64_t slot = next[static_cast<std::size_t>(row)]++;
    order_of[slot] = edge;
    edges.source[static_cast<std::size_t>(slot)] = static_cast<std::int32_t>(sources[edge]);
  }
  edges.attributes = weights::bind(graph.attributes).index_select(0, order).to(at::kFloat);
  if (graph.trainable) {
    const at::Tensor rows =
        graph.trainable_order ? weights::bind(*graph.trainable_order).to(at::kLong).index_select(0, order) : order;
    edges.attributes =
        at::cat({edges.attributes, weights::bind(*graph.trainable).index_select(0, rows).to(at::kFloat)}, 1);
  }
  return edges;
}

std::vector<std::int64_t> distinct_sources(const Edges& edges, dist::RowRange rows) {
  std::vector<std::int64_t> distinct(edges.source.begin() + edges.first[static_cast<std::size_t>(rows.begin)],
                                     edges.source.begin() + edges.first[static_cast<std::size_t>(rows.end)]);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  return distinct;
}

at::Tensor node_attributes(const checkpoint::NodeDescription& nodes, dist::RowRange rows) {
  const auto cut = [&](const checkpoint::TensorDescriptor& tensor) {
    return weights::bind(tensor).slice(0, rows.begin, rows.end).to(at::kFloat);
  };
  if (!nodes.trainable) return cut(nodes.coordinates).contiguous();
  return at::cat({cut(nodes.coordinates), cut(*nodes.trainable)}, 1);
}

}  // namespace tradewind::graph
