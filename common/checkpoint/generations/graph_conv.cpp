#include "common/checkpoint/generations/graph_conv.h"

#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/blocks.h"
#include "common/checkpoint/generations/edges.h"
#include "common/checkpoint/generations/ensemble.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::string_view kChunk = "anemoi.models.layers.chunk.GNNProcessorChunk";

// Whether an MLP ends in a norm is told by its place, and checked: a list of layers that ends early is a legal list.
enum class End { norm, linear };

// Hidden layers, a linear one, and a norm where the place has one.
SequentialDescription read_mlp(const Node& node, std::int64_t outputs, std::int64_t inputs, End end) {
  require_class(node, "MLP", {"anemoi.models.layers.mlp.MLP"});
  SequentialDescription mlp = read_sequential(node, outputs, inputs);
  std::size_t count = mlp.layers.size();
  const bool normed = count > 0 && std::holds_alternative<LayerNormDescription>(mlp.layers.back());
  if (normed) --count;
  if (normed != (end == End::norm)) {
    throw UserError(
        normed ? "an MLP that ends in a layer norm where none is known" : "an MLP without the layer norm at its end",
        node.path(), "the checkpoint is damaged or of an unknown layout");
  }
  const bool wide_enough = count >= 2 && std::holds_alternative<LinearDescription>(mlp.layers[count - 1]);
  if (!wide_enough || std::holds_alternative<LayerNormDescription>(mlp.layers.front()) ||
      std::holds_alternative<Activation>(mlp.layers.front())) {
    throw UserError("an MLP that does not begin and end with linear layers", node.path(),
                    "the checkpoint is damaged or of an unknown layout");
  }
  return mlp;
}

void require_convolution(const Node& conv) {
  require_class(conv, "convolution", {"anemoi.models.layers.conv.GraphConv"});
  if (const Node sum = conv.at("aggr"); sum.as_string() != "add" && sum.as_string() != "sum") {
    throw UserError("aggregation " + sum.as_string() + " is not supported", sum.path(), "known: add, sum");
  }
  if (const Node flow = conv.at("flow"); flow.as_string() != "source_to_target") {
    throw UserError("messages flow " + flow.as_string(), flow.path(), "known: source_to_target");
  }
}

GraphConvBlockDescription read_block(const Node& block, std::int64_t channels) {
  refuse_unknown_attributes(block);
  const Node conv = block.at("conv");
  require_convolution(conv);
  return {read_mlp(conv.at("edge_mlp"), channels, 3 * channels, End::norm),
          read_mlp(block.at("node_mlp"), channels, 2 * channels, End::norm)};
}

GraphConvBlockDescription read_mapper_block(const Node& block, std::int64_t channels) {
  require_class(block, "block", {"anemoi.models.layers.block.GraphConvMapperBlock"});
  if (const auto embedding = block.find("emb_edges"); embedding && !embedding->is_none()) {
    throw UserError("an embedding of edges in the block of a mapper", embedding->path());
  }
  return read_block(block, channels);
}

// Of the first block alone: in the block itself, or before 0.11 in its chunk.
SequentialDescription read_edge_embedding(const Node& processor, std::int64_t channels, std::int64_t edge_width) {
  std::optional<Node> first;
  for (const Node& holder : modules_in_order(processor.at("proc"))) {
    const Node embedding = holder.at("emb_edges");
    if (!first) {
      first = embedding;
    } else if (!embedding.is_none()) {
      throw UserError("a second embedding of edges", embedding.path());
    }
  }
  if (!first) throw UserError("a processor without blocks", processor.path());
  return read_mlp(*first, channels, edge_width, End::norm);
}

}  // namespace

MapperResult read_graph_conv_mapper(const Node& node, const Scope& scope, const MapperEnds& ends) {
  refuse_condition(node, ends.condition);
  GraphConvMapperDescription out;
  out.graph = read_edges(by_paths(scope.model, ends.graph, scope.names), ends.sources, ends.destinations);
  out.channels = ends.backward ? ends.source_channels : sequential_outputs(node.at("emb_nodes_src"));
  out.edge_embedding = read_mlp(node.at("emb_edges"), out.channels, edge_channels(out.graph), End::norm);
  out.block = read_mapper_block(node.at("proc"), out.channels);
  out.chunks = positive(by_paths(node, paths::mapper_chunks));
  MapperResult result;
  if (ends.backward) {
    if (ends.destination_channels != out.channels) {
      throw UserError("a decoder without an embedding of its destinations, which are " +
                          std::to_string(ends.destination_channels) + " and not " + std::to_string(out.channels) +
                          " wide",
                      node.path(), "it goes with an encoder that embeds the data nodes, and their result alone");
    }
    out.extractor = read_mlp(node.at("node_data_extractor"), ends.output_channels, out.channels, End::linear);
    result.output_channels = ends.output_channels;
  } else {
    out.source_embedding = read_mlp(node.at("emb_nodes_src"), out.channels, ends.source_channels, End::norm);
    out.destination_embedding = read_mlp(node.at("emb_nodes_dst"), out.channels, ends.destination_channels, End::norm);
    out.update_sources = node.at("proc").at("update_src_nodes").as_bool();
    result.output_channels = result.source_channels = out.channels;
  }
  result.description = std::move(out);
  return result;
}

ProcessorDescription read_graph_conv_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends) {
  refuse_condition(node, ends.condition);
  GraphConvProcessorDescription out;
  out.channels = ends.channels;
  out.graph = read_edges(by_paths(scope.model, ends.graph, scope.names), ends.nodes, ends.nodes);
  out.edge_embedding = read_edge_embedding(node, ends.channels, edge_channels(out.graph));
  for (const Node& block : processor_blocks(node, kChunk)) {
    require_class(block, "block", {"anemoi.models.layers.block.GraphConvProcessorBlock"});
    out.blocks.push_back(read_block(block, ends.channels));
  }
  return out;
}

}  // namespace tradewind::checkpoint
