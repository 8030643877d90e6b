#include "common/checkpoint/layer_sizes.h"

#include <algorithm>
#include <string>
#include <variant>

#include "common/checkpoint/layer_limits.h"

namespace tradewind::checkpoint {
namespace {

MapperSizes sizes(const GraphTransformerMapperDescription& mapper) {
  const auto& block = mapper.block;
  return {&mapper.graph, block.norm_destination.size, block.heads, block.heads * block.head_size};
}

MapperSizes sizes(const GraphConvMapperDescription& mapper) {
  return {.graph = &mapper.graph, .channels = mapper.channels};
}

MapperSizes sizes(const TransformerMapperDescription& mapper) {
  const auto& attention = mapper.attention;
  return {.channels = mapper.norm_destination.size,
          .heads = attention.heads,
          .attention = attention.heads * attention.head_size};
}

// Of an encoder what comes out is as wide as its last layer, of a decoder what comes in as its first.
MapperSizes sizes(const PointWiseMapperDescription& mapper) {
  if (const auto* norm = std::get_if<LayerNormDescription>(&mapper.layers.layers.front())) {
    return {.channels = norm->size};
  }
  const auto* linear = std::get_if<LinearDescription>(&mapper.layers.layers.back());
  return {.channels = linear ? linear->weight.shape[0] : mapper.inputs};
}

ProcessorSizes sizes(const TransformerProcessorDescription& processor) {
  const auto& block = processor.blocks.front();
  return {.layers = static_cast<std::int64_t>(processor.blocks.size()),
          .channels = block.norm_attention.size,
          .heads = block.heads,
          .attention = block.heads * block.head_size,
          .by_position = true,
          .window = block.window};
}

ProcessorSizes sizes(const GraphTransformerProcessorDescription& processor) {
  const auto& block = processor.blocks.front();
  return {.graph = &processor.graph,
          .layers = static_cast<std::int64_t>(processor.blocks.size()),
          .channels = block.norm_destination.size,
          .heads = block.heads,
          .attention = block.heads * block.head_size,
          .window = {}};
}

ProcessorSizes sizes(const GraphConvProcessorDescription& processor) {
  return {.graph = &processor.graph,
          .layers = static_cast<std::int64_t>(processor.blocks.size()),
          .channels = processor.channels,
          .window = {}};
}

ProcessorSizes sizes(const PointWiseProcessorDescription& processor) {
  const auto* linear = std::get_if<LinearDescription>(&processor.layers.front().layers.front());
  return {.layers = static_cast<std::int64_t>(processor.layers.size()),
          .channels = linear ? linear->weight.shape[1] : 0,
          .window = {}};
}

class LinearSum {
 public:
  const LinearSizes& sizes() const { return sizes_; }

  void add(const LinearDescription& linear) {
    sizes_.values += linear.weight.elements();
    if (linear.weight.elements() <= limits::packed_values) sizes_.packed += linear.weight.elements();
  }
  template <class Layer>
  void add(const std::optional<Layer>& layer) {
    if (layer) add(*layer);
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
  void add(const NormDescription& norm) {
    if (!norm.condition) return;
    add(norm.condition->scale);
    add(norm.condition->shift);
  }
  void add(const NoiseDescription& noise) {
    add(noise.mlp);
    add(noise.injection);
  }
  void add(const GraphTransformerBlockDescription& block) {
    for (const auto* linear : {&block.query, &block.key, &block.value, &block.edge, &block.self, &block.projection}) {
      add(*linear);
    }
    add(block.norm_source);
    add(block.norm_destination);
    add(block.norm_mlp);
    add(block.edge_mlp);
    add(block.mlp);
  }
  void add(const GraphTransformerMapperDescription& mapper) {
    add(mapper.source_embedding);
    add(mapper.destination_embedding);
    add(mapper.block);
    add(mapper.extractor);
  }
  void add(const GraphConvBlockDescription& block) {
    add(block.edge_mlp);
    add(block.node_mlp);
  }
  void add(const GraphConvMapperDescription& mapper) {
    add(mapper.source_embedding);
    add(mapper.destination_embedding);
    add(mapper.edge_embedding);
    add(mapper.block);
    add(mapper.extractor);
  }
  void add(const GraphConvProcessorDescription& processor) {
    add(processor.edge_embedding);
    for (const auto& block : processor.blocks) add(block);
  }
  void add(const AttentionDescription& attention) {
    for (const auto* linear : {&attention.query, &attention.key, &attention.value, &attention.projection}) add(*linear);
  }
  void add(const TransformerBlockDescription& block) {
    add(static_cast<const AttentionDescription&>(block));
    add(block.norm_attention);
    add(block.norm_mlp);
    add(block.mlp);
  }
  void add(const TransformerMapperDescription& mapper) {
    add(mapper.source_embedding);
    add(mapper.destination_embedding);
    add(mapper.attention);
    for (const auto* norm : {&mapper.norm_source, &mapper.norm_destination, &mapper.norm_mlp}) add(*norm);
    add(mapper.mlp);
    add(mapper.extractor);
  }
  void add(const PointWiseMapperDescription& mapper) { add(mapper.layers); }
  void add(const PointWiseProcessorDescription& processor) {
    for (const auto& layer : processor.layers) add(layer);
  }
  template <class Processor>
  requires requires(const Processor& processor) { processor.blocks; }
  void add(const Processor& processor) {
    for (const auto& block : processor.blocks) add(block);
  }

 private:
  LinearSizes sizes_;
};

}  // namespace

MapperSizes sizes_of(const MapperDescription& mapper) {
  return std::visit([](const auto& each) { return sizes(each); }, mapper);
}

ProcessorSizes sizes_of(const ProcessorDescription& processor) {
  return std::visit([](const auto& each) { return sizes(each); }, processor);
}

LinearSizes linear_sizes(const ModelDescription& model) {
  LinearSum sum;
  const auto add = [&](const auto& layers) { sum.add(layers); };
  for_each_mapper(model, [&](const std::string&, const MapperDescription& mapper, const auto&, const auto&) {
    std::visit(add, mapper);
  });
  for_each_processor(model, [&](const ProcessorDescription& processor, const auto&) { std::visit(add, processor); });
  if (model.noise) add(*model.noise);
  if (model.transport) add(model.transport->embedding.mlp);
  return sum.sizes();
}

std::int64_t latent_width(const ModelDescription& model) {
  std::int64_t width = 0;
  for (const std::size_t dataset : model.latents) {
    const std::int64_t one = sizes_of(model.datasets.at(dataset).encoder->mapper).channels;
    width = model.aggregation == LatentAggregation::concatenation ? width + one : one;
  }
  return width;
}

}  // namespace tradewind::checkpoint
