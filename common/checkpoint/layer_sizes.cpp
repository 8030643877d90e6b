#include "common/checkpoint/layer_sizes.h"

#include <algorithm>
#include <variant>

namespace tradewind::checkpoint {
namespace {

MapperSizes sizes(const GraphTransformerMapperDescription& mapper) {
  const auto& block = mapper.block;
  return {&mapper.graph, block.norm_destination.size, block.heads, block.heads * block.head_size};
}

MapperSizes sizes(const GraphConvMapperDescription& mapper) {
  return {.graph = &mapper.graph, .channels = mapper.channels};
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

class LinearSum {
 public:
  const LinearSizes& sizes() const { return sizes_; }

  void add(const LinearDescription& linear) {
    sizes_.values += linear.weight.elements();
    sizes_.largest = std::max(sizes_.largest, linear.weight.elements());
    sizes_.widest = std::max({sizes_.widest, linear.weight.shape[0], linear.weight.shape[1]});
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
  void add(const GraphTransformerBlockDescription& block) {
    for (const auto* linear : {&block.query, &block.key, &block.value, &block.edge, &block.self, &block.projection}) {
      add(*linear);
    }
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
  void add(const TransformerBlockDescription& block) {
    for (const auto* linear : {&block.query, &block.key, &block.value, &block.projection}) add(*linear);
    add(block.mlp);
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
  std::visit(add, model.encoder);
  std::visit(add, model.processor);
  std::visit(add, model.decoder);
  return sum.sizes();
}

}  // namespace tradewind::checkpoint
