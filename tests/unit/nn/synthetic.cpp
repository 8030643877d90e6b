#include "tests/unit/nn/synthetic.h"

namespace tradewind::testing {

using checkpoint::Activation;

checkpoint::TensorDescriptor Weights::keep(const at::Tensor& tensor) {
  kept_.push_back(tensor);
  const at::Tensor& mine = kept_.back();
  checkpoint::TensorDescriptor descriptor;
  descriptor.dtype = mine.scalar_type() == at::kLong ? checkpoint::ScalarType::i64 : checkpoint::ScalarType::f32;
  descriptor.shape = mine.sizes().vec();
  descriptor.strides = mine.strides().vec();
  descriptor.data = static_cast<const std::byte*>(mine.const_data_ptr());
  descriptor.path = "synthetic";
  return descriptor;
}

checkpoint::TensorDescriptor Weights::random(at::IntArrayRef shape, double scale) {
  return keep(at::randn(shape) * scale);
}

checkpoint::LinearDescription Weights::linear(std::int64_t outputs, std::int64_t inputs, bool bias) {
  checkpoint::LinearDescription layer{random({outputs, inputs}, 1 / std::sqrt(static_cast<double>(inputs))), {}};
  if (bias) layer.bias = random({outputs}, 0.3);
  return layer;
}

checkpoint::LayerNormDescription Weights::norm(std::int64_t size) {
  return {random({size}), random({size}), size, 1e-5};
}

checkpoint::NormDescription Weights::conditional_norm(std::int64_t size, std::int64_t condition) {
  checkpoint::NormDescription out(checkpoint::LayerNormDescription{{}, {}, size, 1e-5});
  out.condition = checkpoint::ConditionDescription{linear(size, condition), linear(size, condition)};
  return out;
}

checkpoint::SequentialDescription Weights::mlp(std::int64_t channels, Activation activation) {
  return {{linear(3 * channels, channels), activation, linear(channels, 3 * channels)}};
}

checkpoint::NodeDescription Weights::nodes(std::int64_t count, std::int64_t trainable) {
  checkpoint::NodeDescription nodes{"nodes", count, random({count, 4}), {}};
  if (trainable > 0) nodes.trainable = random({count, trainable});
  return nodes;
}

checkpoint::GraphDescription Weights::graph(std::int64_t sources, std::int64_t destinations, std::int64_t edges,
                                            std::int64_t attributes, std::int64_t trainable, bool reordered) {
  checkpoint::GraphDescription graph;
  graph.sources = sources;
  graph.destinations = destinations;
  graph.edges = edges;
  graph.edge_index =
      keep(at::stack({at::randint(sources, {edges}, at::kLong), at::randint(destinations - 1, {edges}, at::kLong)}));
  graph.attributes = random({edges, attributes});
  if (trainable > 0) graph.trainable = random({edges, trainable});
  if (reordered) graph.trainable_order = keep(at::randperm(edges, at::kLong));
  return graph;
}

checkpoint::GraphTransformerMapperDescription Weights::mapper(const checkpoint::GraphDescription& graph,
                                                              std::int64_t source_inputs,
                                                              std::int64_t destination_inputs, std::int64_t heads,
                                                              std::int64_t head_size, bool qk_norm, bool edge_mlp,
                                                              std::optional<std::int64_t> extracted) {
  const std::int64_t channels = heads * head_size;
  const std::int64_t attributes = graph.attributes.shape[1] + (graph.trainable ? graph.trainable->shape[1] : 0);
  checkpoint::GraphTransformerMapperDescription mapper;
  if (source_inputs != channels) mapper.source_embedding = linear(channels, source_inputs);
  mapper.destination_embedding = linear(channels, destination_inputs);
  mapper.block = graph_block(channels, heads, head_size, attributes, qk_norm, edge_mlp, false);
  if (extracted) mapper.extractor = {{norm(channels), linear(*extracted, channels)}};
  mapper.graph = graph;
  return mapper;
}

checkpoint::GraphTransformerBlockDescription Weights::graph_block(std::int64_t channels, std::int64_t heads,
                                                                  std::int64_t head_size, std::int64_t attributes,
                                                                  bool qk_norm, bool edge_mlp, bool processor,
                                                                  std::optional<Activation> gate) {
  const std::int64_t width = heads * head_size;
  checkpoint::GraphTransformerBlockDescription block;
  block.heads = heads;
  block.head_size = head_size;
  for (auto* layer : {&block.query, &block.key, &block.value, &block.self}) *layer = linear(width, channels);
  block.projection = linear(channels, width);
  block.edge = linear(width, attributes);
  if (!processor) block.norm_source = norm(channels);
  block.norm_destination = norm(channels);
  block.norm_mlp = norm(channels);
  if (qk_norm) {
    block.query_norm = norm(head_size);
    block.key_norm = norm(head_size);
  }
  if (edge_mlp) block.edge_mlp = {{linear(attributes, attributes), Activation::silu}};
  block.mlp = mlp(channels, Activation::gelu);
  if (gate) {
    block.mlp = {{checkpoint::GatedDescription{linear(2 * channels, channels), linear(2 * channels, channels), *gate},
                  linear(channels, 2 * channels)}};
  }
  return block;
}

checkpoint::SequentialDescription Weights::normed_mlp(std::int64_t outputs, std::int64_t inputs, std::int64_t hidden,
                                                      std::optional<Activation> gate) {
  if (gate) {
    return {{checkpoint::GatedDescription{linear(hidden, inputs), linear(hidden, inputs), *gate},
             checkpoint::GatedDescription{linear(hidden, hidden), linear(hidden, hidden), *gate},
             linear(outputs, hidden), norm(outputs)}};
  }
  return {{linear(hidden, inputs), Activation::silu, linear(hidden, hidden), Activation::silu, linear(outputs, hidden),
           norm(outputs)}};
}

checkpoint::GraphConvBlockDescription Weights::conv_block(std::int64_t channels, std::optional<Activation> gate) {
  return {normed_mlp(channels, 3 * channels, channels + 3, gate),
          normed_mlp(channels, 2 * channels, channels + 5, gate)};
}

checkpoint::GraphConvMapperDescription Weights::conv_mapper(const checkpoint::GraphDescription& graph,
                                                            std::int64_t channels, std::int64_t source_inputs,
                                                            std::int64_t destination_inputs,
                                                            std::optional<std::int64_t> extracted,
                                                            std::optional<Activation> gate) {
  checkpoint::GraphConvMapperDescription mapper;
  mapper.channels = channels;
  mapper.graph = graph;
  const std::int64_t attributes = graph.attributes.shape[1] + (graph.trainable ? graph.trainable->shape[1] : 0);
  mapper.edge_embedding = normed_mlp(channels, attributes, channels, gate);
  mapper.block = conv_block(channels, gate);
  if (extracted) {
    mapper.extractor = normed_mlp(*extracted, channels, channels, gate);
    mapper.extractor->layers.pop_back();
  } else {
    mapper.source_embedding = normed_mlp(channels, source_inputs, channels, gate);
    mapper.destination_embedding = normed_mlp(channels, destination_inputs, channels, gate);
    mapper.update_sources = true;
  }
  return mapper;
}

checkpoint::TransformerBlockDescription Weights::transformer_block(std::int64_t heads, std::int64_t head_size,
                                                                   std::optional<std::int64_t> window, bool qk_norm) {
  const std::int64_t channels = heads * head_size;
  checkpoint::TransformerBlockDescription block;
  block.heads = heads;
  block.head_size = head_size;
  block.query = linear(channels, channels, false);
  block.key = linear(channels, channels, false);
  block.value = linear(channels, channels, false);
  block.projection = linear(channels, channels);
  block.norm_attention = norm(channels);
  block.norm_mlp = norm(channels);
  if (qk_norm) {
    block.query_norm = norm(head_size);
    block.key_norm = norm(head_size);
  }
  block.window = window;
  block.mlp = {{checkpoint::GatedDescription{linear(2 * channels, channels), linear(2 * channels, channels),
                                             Activation::sigmoid},
                linear(channels, 2 * channels)}};
  return block;
}

checkpoint::TransformerMapperDescription Weights::transformer_mapper(
    std::int64_t source_inputs, std::int64_t destination_inputs, std::int64_t channels, std::int64_t heads,
    std::int64_t head_size, std::optional<std::int64_t> window, bool qk_norm, std::optional<std::int64_t> extracted) {
  checkpoint::TransformerMapperDescription mapper;
  if (source_inputs != channels) mapper.source_embedding = linear(channels, source_inputs);
  mapper.destination_embedding = linear(channels, destination_inputs);
  auto& attention = mapper.attention;
  attention.heads = heads;
  attention.head_size = head_size;
  for (auto* layer : {&attention.query, &attention.key, &attention.value}) {
    *layer = linear(heads * head_size, channels, false);
  }
  attention.projection = linear(channels, heads * head_size);
  if (qk_norm) {
    attention.query_norm = norm(head_size);
    attention.key_norm = norm(head_size);
  }
  attention.window = window;
  mapper.norm_source = norm(channels);
  mapper.norm_destination = norm(channels);
  mapper.norm_mlp = norm(channels);
  mapper.mlp = mlp(channels, Activation::gelu);
  if (extracted) mapper.extractor = {{norm(channels), linear(*extracted, channels)}};
  return mapper;
}

}  // namespace tradewind::testing
