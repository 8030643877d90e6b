#include "common/checkpoint/generations/transformer.h"

#include <string>

#include "common/checkpoint/generations/attention.h"
#include "common/checkpoint/generations/blocks.h"
#include "common/checkpoint/generations/known.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

TransformerBlockDescription read_block(const Node& block, std::int64_t channels, std::int64_t condition) {
  require_class(block, "block", {"anemoi.models.layers.block.TransformerProcessorBlock"});
  refuse_unknown_attributes(block);
  TransformerBlockDescription out;
  static_cast<AttentionDescription&>(out) = read_attention(block.at("attention"), channels, std::nullopt);
  out.norm_attention = read_norm(by_paths(block, paths::attention_norm), channels, condition);
  out.norm_mlp = read_norm(by_paths(block, paths::mlp_norm), channels, condition);
  out.mlp = read_sequential(block.at("mlp"), channels, channels);
  return out;
}

}  // namespace

ProcessorDescription read_transformer_processor(const Node& node, const Scope&, const ProcessorEnds& ends) {
  TransformerProcessorDescription out;
  out.chunks = positive(node.at("num_chunks"));
  for (const Node& block : processor_blocks(node, "anemoi.models.layers.chunk.TransformerProcessorChunk")) {
    out.blocks.push_back(read_block(block, ends.channels, ends.condition));
  }
  return out;
}

MapperResult read_transformer_mapper(const Node& node, const Scope&, const MapperEnds& ends) {
  const Node block = node.at("proc");
  require_class(block, "block", {"anemoi.models.layers.block.TransformerMapperBlock"});
  refuse_unknown_attributes(block);
  TransformerMapperDescription out;
  const Node embedding = node.at("emb_nodes_dst");
  const std::int64_t channels = linear_outputs(embedding);
  out.destination_embedding = read_linear(embedding, channels, ends.destination_channels);
  out.attention = read_attention(block.at("attention"), channels, AttendedRows{ends.sources, ends.destinations});
  out.norm_source = read_norm(block.at("layer_norm_attention_src"), channels, ends.condition);
  out.norm_destination = read_norm(block.at("layer_norm_attention_dst"), channels, ends.condition);
  out.norm_mlp = read_norm(block.at("layer_norm_mpl"), channels, ends.condition);  // the class spells it so
  out.mlp = read_sequential(block.at("mlp"), channels, channels);
  MapperResult result;
  result.output_channels = channels;
  if (ends.backward) {
    if (ends.source_channels != channels) {
      throw UserError("a mapper over " + std::to_string(channels) + " channels where " +
                          std::to_string(ends.source_channels) + " come in",
                      node.path());
    }
    result.output_channels = ends.output_channels;
    out.extractor = read_sequential(node.at("node_data_extractor"), ends.output_channels, channels);
  } else {
    out.source_embedding = read_linear(node.at("emb_nodes_src"), channels, ends.source_channels);
  }
  result.description = std::move(out);
  return result;
}

}  // namespace tradewind::checkpoint
