#include "common/checkpoint/generations/graph_transformer.h"

#include <optional>
#include <string>

#include "common/checkpoint/generations/attributes.h"
#include "common/checkpoint/generations/blocks.h"
#include "common/checkpoint/generations/edges.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// The convolution holds no weights. The triton backend is a function that computes the same.
void require_convolution(const Node& block) {
  const Node conv = block.at("conv");
  const std::string name = conv.class_name();
  if (name == "anemoi.models.layers.conv.GraphTransformerConv") {
    if (const Node aggregation = conv.at("aggr"); aggregation.as_string() != "add") {
      throw UserError("aggregation " + aggregation.as_string() + " is not supported", aggregation.path(), "known: add");
    }
    const Node size = conv.at("out_channels");
    if (size.as_int() != block.at("out_channels_conv").as_int()) {
      throw UserError("the convolution's head size differs from the block's", size.path());
    }
    return;
  }
  if (std::holds_alternative<Global>(conv.value().data) && name.starts_with("anemoi.models.triton.")) return;
  refuse_class(conv, "convolution",
               "anemoi.models.layers.conv.GraphTransformerConv, functions of anemoi.models.triton");
}

// Whether queries and keys are normalised; the attribute came with 0.5.
bool has_query_norm(const Node& block) {
  const auto flag = block.find("qk_norm");
  const bool on = flag && flag->as_bool();
  if (!on && (block.has("q_norm") || block.has("k_norm"))) {
    throw UserError("norms of query and key are there, but qk_norm is not on", block.path());
  }
  return on;
}

// From 0.5 the norm is its own module; before, the first layer of the MLP.
void read_mlp(const Node& block, std::int64_t channels, std::int64_t condition, GraphTransformerBlockDescription& out) {
  const Node mlp = block.at("node_dst_mlp");
  out.mlp = read_sequential(mlp, channels, channels);
  if (const auto norm = find_by_paths(block, paths::mapper_mlp_norm)) {
    out.norm_mlp = read_norm(*norm, channels, condition);
    return;
  }
  const auto* first = out.mlp.layers.empty() ? nullptr : std::get_if<LayerNormDescription>(&out.mlp.layers.front());
  if (first == nullptr || condition > 0) {
    throw UserError("no layer norm before the MLP: neither layer_norm_mlp_dst nor a first layer of node_dst_mlp",
                    mlp.path());
  }
  out.norm_mlp = *first;
  out.mlp.layers.erase(out.mlp.layers.begin());
}

// A linear layer and an activation, since 0.11, which also brought the choice of a backend.
std::optional<SequentialDescription> read_edge_mlp(const Node& block, std::int64_t edge_width) {
  if (!block.has("graph_attention_backend") && !block.has("edge_pre_mlp")) return std::nullopt;
  const Node mlp = block.at("edge_pre_mlp");
  if (mlp.class_name() == "torch.nn.modules.linear.Identity") return std::nullopt;
  require_class(mlp, "MLP of edges", {"torch.nn.modules.container.Sequential"});
  if (modules_in_order(mlp).size() != 2) {
    throw UserError("an MLP of edges that is not a linear layer and an activation", mlp.path(),
                    "the checkpoint is damaged or of an unknown layout");
  }
  return read_sequential(mlp, edge_width, edge_width);
}

// All but the norms of what goes into the attention.
GraphTransformerBlockDescription read_block(const Node& block, std::int64_t edge_width, std::int64_t condition) {
  refuse_unknown_attributes(block);
  if (const Node update = block.at("update_src_nodes"); update.as_bool()) {
    throw UserError("update_src_nodes is not supported by graph transformers", update.path());
  }
  for (const char* source_part : {"node_src_mlp", "layer_norm_mlp_src"}) {
    if (const auto part = block.find(source_part))
      require_class(*part, "source MLP", {"torch.nn.modules.linear.Identity"});
  }
  require_convolution(block);
  GraphTransformerBlockDescription out;
  out.heads = positive(block.at("num_heads"));
  out.head_size = positive(block.at("out_channels_conv"));
  const std::int64_t attention = out.heads * out.head_size;
  const std::int64_t channels = linear_outputs(block.at("projection"));
  out.query = read_linear(block.at("lin_query"), attention, channels);
  out.key = read_linear(block.at("lin_key"), attention, channels);
  out.value = read_linear(block.at("lin_value"), attention, channels);
  out.self = read_linear(block.at("lin_self"), attention, channels);
  out.edge = read_linear(block.at("lin_edge"), attention, edge_width);
  out.projection = read_linear(block.at("projection"), channels, attention);
  if (has_query_norm(block)) {
    out.query_norm = read_layer_norm(block.at("q_norm"), out.head_size);
    out.key_norm = read_layer_norm(block.at("k_norm"), out.head_size);
  }
  out.edge_mlp = read_edge_mlp(block, edge_width);
  read_mlp(block, channels, condition, out);
  return out;
}

GraphTransformerBlockDescription read_mapper_block(const Node& block, std::int64_t edge_width, std::int64_t condition) {
  require_class(block, "block", {"anemoi.models.layers.block.GraphTransformerMapperBlock"});
  GraphTransformerBlockDescription out = read_block(block, edge_width, condition);
  const std::int64_t channels = out.norm_mlp.size;
  out.norm_source = read_norm(by_paths(block, paths::source_norm), channels, condition);
  out.norm_destination = read_norm(by_paths(block, paths::destination_norm), channels, condition);
  return out;
}

GraphTransformerBlockDescription read_processor_block(const Node& block, std::int64_t edge_width,
                                                      std::int64_t condition) {
  require_class(block, "block", {"anemoi.models.layers.block.GraphTransformerProcessorBlock"});
  GraphTransformerBlockDescription out = read_block(block, edge_width, condition);
  out.norm_destination = read_norm(by_paths(block, paths::attention_norm), out.norm_mlp.size, condition);
  return out;
}

std::optional<LinearDescription> read_embedding(const Node& node, std::int64_t outputs, std::int64_t inputs) {
  if (node.class_name() != "torch.nn.modules.linear.Identity") return read_linear(node, outputs, inputs);
  if (outputs != inputs) {
    throw UserError("no embedding between " + std::to_string(inputs) + " and " + std::to_string(outputs) + " channels",
                    node.path());
  }
  return std::nullopt;
}

}  // namespace

MapperResult read_graph_transformer_mapper(const Node& node, const Scope& scope, const MapperEnds& ends) {
  GraphTransformerMapperDescription out;
  out.graph = read_edges(by_paths(scope.model, ends.graph, scope.names), ends.sources, ends.destinations);
  out.block = read_mapper_block(node.at("proc"), edge_channels(out.graph), ends.condition);
  out.chunks = positive(by_paths(node, paths::mapper_chunks));
  const std::int64_t channels = out.block.norm_destination.size;
  out.destination_embedding = read_embedding(node.at("emb_nodes_dst"), channels, ends.destination_channels);
  const auto source = node.find("emb_nodes_src");
  if (source) {
    out.source_embedding = read_embedding(*source, channels, ends.source_channels);
  } else if (!ends.backward || ends.source_channels != channels) {
    throw UserError("no embedding of the sources (emb_nodes_src)", node.path());
  }
  MapperResult result{{}, channels};
  if (ends.backward) {
    result.output_channels = ends.output_channels;
    out.extractor = read_sequential(node.at("node_data_extractor"), ends.output_channels, channels);
  }
  result.description = std::move(out);
  return result;
}

ProcessorDescription read_graph_transformer_processor(const Node& node, const Scope& scope, const ProcessorEnds& ends) {
  GraphTransformerProcessorDescription out;
  out.graph = read_edges(by_paths(scope.model, ends.graph, scope.names), ends.nodes, ends.nodes);
  const std::int64_t edge_width = edge_channels(out.graph);
  for (const Node& block : processor_blocks(node, "anemoi.models.layers.chunk.GraphTransformerProcessorChunk")) {
    out.blocks.push_back(read_processor_block(block, edge_width, ends.condition));
    if (out.blocks.back().norm_mlp.size != ends.channels) {
      throw UserError("a block over " + std::to_string(out.blocks.back().norm_mlp.size) + " channels where " +
                          std::to_string(ends.channels) + " come in",
                      block.path());
    }
  }
  return out;
}

}  // namespace tradewind::checkpoint
