#include "common/checkpoint/memory_estimate.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace tradewind::checkpoint {
namespace {

constexpr std::int64_t kFloat = 4, kMegabyte = 1 << 20;
constexpr std::int64_t kChunkBytes = 8 * kMegabyte, kPieceBytes = 64 * kMegabyte, kChunks = 8;
constexpr std::int64_t kAttributePadding = 8;
constexpr std::int64_t kRuntime = 140 * kMegabyte;  // an idle worker: LibTorch, ecCodes, allocator

std::int64_t share(std::int64_t rows, int ranks) { return (rows + ranks - 1) / ranks; }

// Rank that owns a row: sizes differ by at most one, larger first.
class Owners {
 public:
  Owners(std::int64_t rows, int ranks) : small_(rows / ranks), larger_(rows % ranks) {}
  std::int64_t operator()(std::int64_t row) const {
    const std::int64_t in_larger = larger_ * (small_ + 1);
    return row < in_larger ? row / (small_ + 1) : larger_ + (row - in_larger) / small_;
  }

 private:
  std::int64_t small_, larger_;
};

std::int64_t index_at(const TensorDescriptor& index, std::int64_t row, std::int64_t column) {
  const std::byte* at = index.data + (row * index.strides[0] + column * index.strides[1]) *
                                         static_cast<std::int64_t>(size_of(index.dtype));
  if (index.dtype == ScalarType::i32) {
    std::int32_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  std::int64_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

struct EdgeShare {
  std::int64_t edges = 0, halo_rows = 0;  // largest of any rank
};

// Edges belong to the rank of their destination; sources that it does not own are its halo.
EdgeShare split_edges(const GraphDescription& graph, int ranks) {
  if (ranks == 1) return {graph.edges, 0};
  const Owners source_owner(graph.sources, ranks), destination_owner(graph.destinations, ranks);
  std::vector<std::int64_t> edges(static_cast<std::size_t>(ranks)), halo(static_cast<std::size_t>(ranks));
  std::vector<std::int64_t> order(static_cast<std::size_t>(graph.edges));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  const auto destination = [&](std::int64_t edge) { return index_at(graph.edge_index, 1, edge); };
  if (!graph.sorted_by_destination) {
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return destination(a) < destination(b); });
  }
  // Ranks come one after the other, so a source is new to a rank when another rank saw it last.
  std::vector<std::int64_t> seen_by(static_cast<std::size_t>(graph.sources), -1);
  for (const std::int64_t edge : order) {
    const std::int64_t rank = destination_owner(destination(edge));
    const std::int64_t source = index_at(graph.edge_index, 0, edge);
    ++edges[static_cast<std::size_t>(rank)];
    if (source_owner(source) == rank || seen_by[static_cast<std::size_t>(source)] == rank) continue;
    seen_by[static_cast<std::size_t>(source)] = rank;
    ++halo[static_cast<std::size_t>(rank)];
  }
  return {*std::max_element(edges.begin(), edges.end()), *std::max_element(halo.begin(), halo.end())};
}

std::int64_t edge_bytes(const GraphDescription& graph, std::int64_t rows, std::int64_t edges) {
  const std::int64_t width = graph.attributes.shape[1] + (graph.trainable ? graph.trainable->shape[1] : 0);
  const std::int64_t padded = (width + kAttributePadding - 1) / kAttributePadding * kAttributePadding;
  return 8 * (rows + 1) + (4 + kFloat * padded) * edges;
}

std::int64_t node_width(const NodeDescription& nodes) { return 4 + (nodes.trainable ? nodes.trainable->shape[1] : 0); }

// Values of the weights of linear layers, and the widest layer.
struct LinearSizes {
  std::int64_t values = 0, widest = 0, largest = 0;

  void add(const LinearDescription& linear) {
    values += linear.weight.elements();
    largest = std::max(largest, linear.weight.elements());
    widest = std::max({widest, linear.weight.shape[0], linear.weight.shape[1]});
  }
  void add(const std::optional<LinearDescription>& linear) {
    if (linear) add(*linear);
  }
  void add(const SequentialDescription& sequence) {
    for (const SequentialLayer& layer : sequence.layers) {
      if (const auto* linear = std::get_if<LinearDescription>(&layer)) add(*linear);
      if (const auto* gated = std::get_if<GatedDescription>(&layer)) {
        add(gated->gate);
        add(gated->value);
      }
    }
  }
  void add(const GraphTransformerMapperDescription& mapper) {
    add(mapper.source_embedding);
    add(mapper.destination_embedding);
    const auto& block = mapper.block;
    for (const auto* linear : {&block.query, &block.key, &block.value, &block.edge, &block.self, &block.projection}) {
      add(*linear);
    }
    if (block.edge_mlp) add(*block.edge_mlp);
    add(block.mlp);
    if (mapper.extractor) add(*mapper.extractor);
  }
  void add(const TransformerProcessorDescription& processor) {
    for (const auto& block : processor.blocks) {
      for (const auto* linear : {&block.query, &block.key, &block.value, &block.projection}) add(*linear);
      add(block.mlp);
    }
  }
};

std::int64_t attention_width(const MapperDescription& mapper) {
  const auto& block = std::get<GraphTransformerMapperDescription>(mapper).block;
  return block.heads * block.head_size;
}

// Packed keys and values of the layer whose queries see the most rows.
std::int64_t processor_bytes(const ProcessorDescription& processor, std::int64_t own, std::int64_t all) {
  std::int64_t most = 0;
  for (const auto& block : std::get<TransformerProcessorDescription>(processor).blocks) {
    const std::int64_t seen = block.window ? std::min(all, own + 2 * std::min(all, *block.window)) : all;
    most = std::max(most, 2 * kFloat * block.heads * block.head_size * seen);
  }
  return most;
}

}  // namespace

MemoryEstimate estimate_memory(const ModelDescription& model, int world_size, int element_size) {
  const auto& encoder = std::get<GraphTransformerMapperDescription>(model.encoder);
  const auto& decoder = std::get<GraphTransformerMapperDescription>(model.decoder);
  const std::int64_t data = share(model.data.count, world_size), hidden = share(model.hidden.count, world_size);
  const std::int64_t channels = encoder.block.norm_destination.size;
  const std::int64_t input_width = model.input_steps * model.input_variables + node_width(model.data);
  const EdgeShare in = split_edges(encoder.graph, world_size), out = split_edges(decoder.graph, world_size);

  LinearSizes linears;
  linears.add(encoder);
  linears.add(std::get<TransformerProcessorDescription>(model.processor));
  linears.add(decoder);

  MemoryEstimate estimate;
  estimate.world_size = world_size;
  estimate.element_size = element_size;
  estimate.halo_rows_encoder = in.halo_rows;
  estimate.halo_rows_decoder = out.halo_rows;
  estimate.mapped = element_size == kFloat ? kFloat * linears.values : 0;
  estimate.converted = element_size == kFloat ? 0 : element_size * linears.values + kFloat * linears.largest;
  estimate.graph = edge_bytes(encoder.graph, hidden, in.edges) + edge_bytes(decoder.graph, data, out.edges);
  estimate.nodes =
      kFloat * node_width(model.data) * data + kFloat * (attention_width(model.encoder) + channels) * hidden;
  estimate.state =
      kFloat * data * (model.input_steps * model.input_variables + 2 * model.output_steps * model.output_variables);
  estimate.latent = kFloat * (2 * channels * hidden + input_width * in.halo_rows + channels * out.halo_rows);
  const std::int64_t key_and_value = std::int64_t{2} * element_size;
  const std::int64_t piece =
      std::max(key_and_value * attention_width(model.encoder) * std::min(in.edges, data + in.halo_rows),
               key_and_value * attention_width(model.decoder) * std::min(out.edges, hidden + out.halo_rows));
  estimate.attention =
      std::max(std::min(piece, kPieceBytes), processor_bytes(model.processor, hidden, model.hidden.count));
  const std::int64_t chunk_rows = std::clamp<std::int64_t>(kChunkBytes / kFloat / linears.widest, 96, 4096);
  estimate.scratch = kChunks * kFloat * linears.widest * std::min(chunk_rows, std::max(data, hidden));
  estimate.runtime = kRuntime;
  return estimate;
}

}  // namespace tradewind::checkpoint
