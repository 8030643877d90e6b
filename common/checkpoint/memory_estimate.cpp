#include "common/checkpoint/memory_estimate.h"

#include <algorithm>

#include "common/checkpoint/edge_share.h"
#include "common/checkpoint/layer_sizes.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::int64_t kFloat = 4, kMegabyte = 1 << 20;
constexpr std::int64_t kChunkBytes = 8 * kMegabyte, kPieceBytes = 64 * kMegabyte, kKeptBytes = 512 * kMegabyte,
                       kChunks = 8;
constexpr std::int64_t kAttributePadding = 8;
constexpr std::int64_t kRuntime = 140 * kMegabyte;  // an idle worker: LibTorch, ecCodes, allocator

std::int64_t share(std::int64_t rows, int ranks) { return (rows + ranks - 1) / ranks; }

std::int64_t edge_bytes(const GraphDescription* graph, std::int64_t rows, std::int64_t edges) {
  if (graph == nullptr) return 0;
  const std::int64_t width = graph->attributes.shape[1] + (graph->trainable ? graph->trainable->shape[1] : 0);
  const std::int64_t padded = (width + kAttributePadding - 1) / kAttributePadding * kAttributePadding;
  return 8 * (rows + 1) + (4 + kFloat * padded) * edges;
}

std::int64_t node_width(const NodeDescription& nodes) { return 4 + (nodes.trainable ? nodes.trainable->shape[1] : 0); }

// Keys and values of the layer whose queries see the most rows, as the layer keeps them.
std::int64_t attention_bytes(const TransformerProcessorDescription& processor, std::int64_t own, std::int64_t all,
                             std::int64_t, int) {
  std::int64_t most = 0;
  for (const auto& block : processor.blocks) {
    // without a window ranks share the heads
    const std::int64_t seen = block.window ? std::min(all, own + 2 * std::min(all, *block.window)) : own;
    most = std::max(most, 2 * kFloat * block.heads * block.head_size * seen);
  }
  return most;
}
std::int64_t attention_bytes(const PointWiseProcessorDescription&, std::int64_t, std::int64_t, std::int64_t, int) {
  return 0;
}
// Likewise of a transformer mapper, whose queries are other rows.
std::int64_t attention_bytes(const MapperDescription& mapper, std::int64_t keys, std::int64_t queries, int ranks) {
  const auto* transformer = std::get_if<TransformerMapperDescription>(&mapper);
  if (transformer == nullptr) return 0;
  const AttentionDescription& attention = transformer->attention;
  const bool all = !attention.window || *attention.window >= keys;
  const std::int64_t seen = all ? share(keys, ranks) : std::min(keys, share(queries, ranks) + 2 * *attention.window);
  return 2 * kFloat * attention.heads * attention.head_size * seen;
}
std::int64_t attention_bytes(const GraphTransformerProcessorDescription& processor, std::int64_t own, std::int64_t,
                             std::int64_t halo, int element_size) {
  const auto& block = processor.blocks.front();
  return std::int64_t{2} * element_size * block.heads * block.head_size * (own + halo);
}

std::int64_t lanes(const SequentialDescription& mlp) {
  return std::holds_alternative<GatedDescription>(mlp.layers.front()) ? 2 : 1;
}
// Terms of own and halo rows, and own rows again as destinations.
std::int64_t attention_bytes(const GraphConvProcessorDescription& processor, std::int64_t own, std::int64_t,
                             std::int64_t halo, int) {
  return kFloat * lanes(processor.blocks.front().edge_mlp) * processor.channels * (2 * own + halo);
}

// What layers keep for every edge of a rank, beside its attributes.
std::int64_t kept_bytes(const GraphTransformerMapperDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const GraphConvMapperDescription& mapper, std::int64_t edges) {
  const std::int64_t terms = kFloat * lanes(mapper.block.edge_mlp) * mapper.channels * edges;
  return terms <= kKeptBytes ? terms : 0;
}
std::int64_t kept_bytes(const TransformerMapperDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const PointWiseMapperDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const PointWiseProcessorDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const TransformerProcessorDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const GraphTransformerProcessorDescription&, std::int64_t) { return 0; }
std::int64_t kept_bytes(const GraphConvProcessorDescription& processor, std::int64_t edges) {
  const std::int64_t latents = kFloat * processor.channels * edges;
  return latents + (latents <= kKeptBytes ? latents : 0);
}
template <class Description>
std::int64_t kept_of(const Description& description, std::int64_t edges) {
  return std::visit([&](const auto& layers) { return kept_bytes(layers, edges); }, description);
}

}  // namespace

MemoryEstimate estimate_memory(const ModelDescription& model, int world_size, int element_size) {
  const MapperSizes encoder = sizes_of(model.encoder), decoder = sizes_of(model.decoder);
  const ProcessorSizes processor = sizes_of(model.processor);
  const std::int64_t data = share(model.data.count, world_size), hidden = share(model.hidden.count, world_size);
  const std::int64_t channels = encoder.channels;
  const std::int64_t input_width = model.input_steps * model.input_variables + node_width(model.data);
  const auto share_of = [&](const GraphDescription* graph) {
    return graph ? share_of_edges(*graph, world_size) : EdgeShare{};
  };
  const EdgeShare in = share_of(encoder.graph), among = share_of(processor.graph), out = share_of(decoder.graph);
  const LinearSizes linears = linear_sizes(model);

  MemoryEstimate estimate;
  estimate.world_size = world_size;
  estimate.element_size = element_size;
  estimate.halo_rows_encoder = in.halo_rows;
  estimate.halo_rows_decoder = out.halo_rows;
  estimate.mapped = element_size == kFloat ? kFloat * linears.values : 0;
  estimate.converted = element_size == kFloat ? 0 : element_size * linears.values + kFloat * linears.largest;
  estimate.halo_rows_processor = among.halo_rows;
  estimate.edges =
      kept_of(model.encoder, in.edges) + kept_of(model.processor, among.edges) + kept_of(model.decoder, out.edges);
  estimate.graph = edge_bytes(encoder.graph, hidden, in.edges) + edge_bytes(processor.graph, hidden, among.edges) +
                   edge_bytes(decoder.graph, data, out.edges);
  estimate.nodes = kFloat * node_width(model.data) * data + kFloat * (encoder.attention + channels) * hidden;
  estimate.state =
      kFloat * data * (model.input_steps * model.input_variables + 2 * model.output_steps * model.output_variables);
  estimate.latent =
      kFloat * (2 * channels * hidden + input_width * in.halo_rows + channels * (among.halo_rows + out.halo_rows));
  const std::int64_t key_and_value = std::int64_t{2} * element_size;
  const std::int64_t piece = std::max(key_and_value * encoder.attention * std::min(in.edges, data + in.halo_rows),
                                      key_and_value * decoder.attention * std::min(out.edges, hidden + out.halo_rows));
  estimate.attention =
      std::max(std::min(piece, kPieceBytes), std::visit(
                                                 [&](const auto& layers) {
                                                   return attention_bytes(layers, hidden, model.hidden.count,
                                                                          among.halo_rows, element_size);
                                                 },
                                                 model.processor));
  estimate.attention =
      std::max({estimate.attention, attention_bytes(model.encoder, model.data.count, model.hidden.count, world_size),
                attention_bytes(model.decoder, model.hidden.count, model.data.count, world_size)});
  const std::int64_t chunk_rows = std::clamp<std::int64_t>(kChunkBytes / kFloat / linears.widest, 96, 4096);
  estimate.scratch = kChunks * kFloat * linears.widest * std::min(chunk_rows, std::max(data, hidden));
  estimate.runtime = kRuntime;
  return estimate;
}

}  // namespace tradewind::checkpoint
