#include <cmath>
#include <tuple>
#include <utility>

#include "tests/unit/nn/synthetic.h"
#include "worker/weights/bind.h"

namespace tradewind::testing {
namespace {

using checkpoint::Activation;

at::Tensor tensor(const checkpoint::TensorDescriptor& descriptor) { return weights::bind(descriptor).to(at::kDouble); }

at::Tensor linear(const checkpoint::LinearDescription& layer, const at::Tensor& x) {
  const at::Tensor y = at::matmul(x, tensor(layer.weight).t());
  return layer.bias ? y + tensor(*layer.bias) : y;
}

at::Tensor norm(const checkpoint::LayerNormDescription& layer, const at::Tensor& x) {
  return at::layer_norm(x, {layer.size}, tensor(*layer.weight), tensor(*layer.bias), layer.epsilon);
}

at::Tensor norm(const checkpoint::NormDescription& layer, const at::Tensor& x, const at::Tensor& condition) {
  if (!layer.condition) return norm(layer, x);
  const at::Tensor plain = at::layer_norm(x, {layer.size}, {}, {}, layer.epsilon), c = condition.to(at::kDouble);
  return plain * (linear(layer.condition->scale, c) + 1) + linear(layer.condition->shift, c);
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::silu:
      return at::silu(x);
    case Activation::relu:
      return at::relu(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
    case Activation::tanh:
      return at::tanh(x);
    case Activation::leaky_relu:
      return at::leaky_relu(x, 0.01);
    case Activation::identity:
      return x;
  }
  return x;
}

at::Tensor sequential(const checkpoint::SequentialDescription& layers, at::Tensor x) {
  for (const auto& layer : layers.layers) {
    if (const auto* one = std::get_if<checkpoint::LinearDescription>(&layer)) x = linear(*one, x);
    if (const auto* one = std::get_if<checkpoint::LayerNormDescription>(&layer)) x = norm(*one, x);
    if (const auto* one = std::get_if<Activation>(&layer)) x = activate(*one, x);
    if (const auto* one = std::get_if<checkpoint::GatedDescription>(&layer)) {
      x = activate(one->activation, linear(one->gate, x)) * linear(one->value, x);
    }
  }
  return x;
}

at::Tensor by_head(const at::Tensor& x, std::int64_t heads) { return x.view({x.size(0), heads, -1}); }

// x (rows, heads, head_size), one angle per position and pair of channels.
at::Tensor rotated(const at::Tensor& x) {
  const std::int64_t half = x.size(2) / 2;
  const at::Tensor frequency =
      at::pow(10000.0, at::arange(half, at::kDouble) * (-2.0 / static_cast<double>(x.size(2))));
  const at::Tensor angle = (at::arange(x.size(0), at::kDouble).unsqueeze(1) * frequency).unsqueeze(1);
  const at::Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  return at::cat({a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()}, 2);
}

// Every query sees a mask over every key.
at::Tensor attention(const checkpoint::AttentionDescription& layer, const at::Tensor& queries, const at::Tensor& keys) {
  at::Tensor query = by_head(linear(layer.query, queries), layer.heads);
  at::Tensor key = by_head(linear(layer.key, keys), layer.heads);
  const at::Tensor value = by_head(linear(layer.value, keys), layer.heads);
  if (layer.query_norm) query = norm(*layer.query_norm, query);
  if (layer.key_norm) key = norm(*layer.key_norm, key);
  if (layer.rotary) {
    query = rotated(query);
    key = rotated(key);
  }
  const double offset = layer.aligned_to_end ? static_cast<double>(keys.size(0) - queries.size(0)) : 0.0;
  const at::Tensor distance = (at::arange(queries.size(0), at::kDouble).unsqueeze(1) + offset -
                               at::arange(keys.size(0), at::kDouble).unsqueeze(0))
                                  .abs();
  at::Tensor score =
      at::matmul(query.transpose(0, 1), key.permute({1, 2, 0})) / std::sqrt(static_cast<double>(layer.head_size));
  if (layer.softcap > 0) score = layer.softcap * at::tanh(score / layer.softcap);
  if (layer.alibi_slopes) score = score - tensor(*layer.alibi_slopes).view({-1, 1, 1}) * distance;
  at::Tensor weight = score.exp();  // scores are small here: no maximum is needed
  if (layer.window) weight = weight * distance.le(static_cast<double>(*layer.window));
  const at::Tensor total = weight.sum(-1, true);
  weight = weight / at::where(total.eq(0), at::ones_like(total), total);
  const at::Tensor attended = at::matmul(weight, value.transpose(0, 1)).transpose(0, 1).reshape({queries.size(0), -1});
  return linear(layer.projection, attended);
}

// The attributes of a graph's edges, in the order of its edge index.
at::Tensor edge_attributes(const checkpoint::GraphDescription& graph) {
  at::Tensor attributes = tensor(graph.attributes);
  if (!graph.trainable) return attributes;
  at::Tensor trainable = tensor(*graph.trainable);
  if (graph.trainable_order) trainable = trainable.index({weights::bind(*graph.trainable_order)});
  return at::cat({attributes, trainable}, 1);
}

// A block after the norms of what goes into the attention; x is what the result is added to.
at::Tensor naive_block(const checkpoint::GraphTransformerBlockDescription& block,
                       const checkpoint::GraphDescription& graph, const at::Tensor& normed_source,
                       const at::Tensor& normed, at::Tensor x, const at::Tensor& condition = {}) {
  at::Tensor query = by_head(linear(block.query, normed), block.heads);
  at::Tensor key = by_head(linear(block.key, normed_source), block.heads);
  const at::Tensor value = by_head(linear(block.value, normed_source), block.heads);
  if (block.query_norm) query = norm(*block.query_norm, query);
  if (block.key_norm) key = norm(*block.key_norm, key);
  at::Tensor attributes = edge_attributes(graph);
  if (block.edge_mlp) attributes = sequential(*block.edge_mlp, attributes);
  const at::Tensor edge = by_head(linear(block.edge, attributes), block.heads);
  const at::Tensor index = weights::bind(graph.edge_index);
  const at::Tensor source = index[0], target = index[1];
  const at::Tensor score =
      (query.index({target}) * (key.index({source}) + edge)).sum(-1) / std::sqrt(static_cast<double>(block.head_size));
  const at::Tensor weight = score.exp();  // scores are small here: no maximum is needed
  const at::Tensor total = at::zeros({x.size(0), block.heads}, at::kDouble).index_add(0, target, weight);
  const at::Tensor alpha = weight / total.index({target});
  const at::Tensor message = (value.index({source}) + edge) * alpha.unsqueeze(-1);
  const at::Tensor attended = at::zeros_like(query).index_add(0, target, message).view({x.size(0), -1});
  x = x + linear(block.projection, attended + linear(block.self, normed));
  return x + sequential(block.mlp, norm(block.norm_mlp, x, condition));
}

}  // namespace

at::Tensor naive_mapper(const checkpoint::GraphTransformerMapperDescription& mapper, const at::Tensor& sources,
                        const at::Tensor& destinations, const at::Tensor& condition) {
  const auto& block = mapper.block;
  const at::Tensor from = sources.to(at::kDouble), to = destinations.to(at::kDouble);
  const at::Tensor x_source = mapper.source_embedding ? linear(*mapper.source_embedding, from) : from;
  at::Tensor x = linear(*mapper.destination_embedding, to);
  x = naive_block(block, mapper.graph, norm(*block.norm_source, x_source, condition),
                  norm(block.norm_destination, x, condition), x, condition);
  return mapper.extractor ? sequential(*mapper.extractor, x) : x;
}

namespace {

// Returns the new rows and edges.
std::pair<at::Tensor, at::Tensor> naive_conv_block(const checkpoint::GraphConvBlockDescription& block,
                                                   const checkpoint::GraphDescription& graph, const at::Tensor& source,
                                                   const at::Tensor& x, at::Tensor edges) {
  const at::Tensor index = weights::bind(graph.edge_index);
  edges = edges + sequential(block.edge_mlp, at::cat({x.index({index[1]}), source.index({index[0]}), edges}, 1));
  const at::Tensor summed = at::zeros_like(x).index_add(0, index[1], edges);
  return {x + sequential(block.node_mlp, at::cat({x, summed}, 1)), edges};
}

}  // namespace

at::Tensor naive_conv_mapper(const checkpoint::GraphConvMapperDescription& mapper, const at::Tensor& sources,
                             const at::Tensor& destinations) {
  at::Tensor from = sources.to(at::kDouble), x = destinations.to(at::kDouble);
  if (mapper.source_embedding) from = sequential(*mapper.source_embedding, from);
  if (mapper.destination_embedding) x = sequential(*mapper.destination_embedding, x);
  x = naive_conv_block(mapper.block, mapper.graph, from, x,
                       sequential(mapper.edge_embedding, edge_attributes(mapper.graph)))
          .first;
  return mapper.extractor ? sequential(*mapper.extractor, x) : x;
}

at::Tensor naive_updated_sources(const checkpoint::GraphConvMapperDescription& mapper, const at::Tensor& sources) {
  const at::Tensor x = sequential(*mapper.source_embedding, sources.to(at::kDouble));
  return mapper.update_sources ? x + sequential(mapper.block.node_mlp, at::cat({x, x}, 1)) : x;
}

at::Tensor naive_graph_conv(const checkpoint::GraphConvProcessorDescription& processor, const at::Tensor& given) {
  at::Tensor x = given.to(at::kDouble);
  at::Tensor edges = sequential(processor.edge_embedding, edge_attributes(processor.graph));
  for (const auto& block : processor.blocks) {
    std::tie(x, edges) = naive_conv_block(block, processor.graph, x, x, edges);
  }
  return x;
}

at::Tensor naive_graph_transformer(const checkpoint::GraphTransformerProcessorDescription& processor,
                                   const at::Tensor& given, const at::Tensor& condition) {
  at::Tensor x = given.to(at::kDouble);
  for (const auto& block : processor.blocks) {
    const at::Tensor normed = norm(block.norm_destination, x, condition);
    x = naive_block(block, processor.graph, normed, normed, x, condition);
  }
  return x;
}

at::Tensor naive_transformer(const checkpoint::TransformerProcessorDescription& processor, const at::Tensor& given,
                             const at::Tensor& condition) {
  at::Tensor x = given.to(at::kDouble);
  for (const auto& block : processor.blocks) {
    const at::Tensor normed = norm(block.norm_attention, x, condition);
    x = x + attention(block, normed, normed);
    x = x + sequential(block.mlp, norm(block.norm_mlp, x, condition));
  }
  return x;
}

at::Tensor naive_transformer_mapper(const checkpoint::TransformerMapperDescription& mapper, const at::Tensor& sources,
                                    const at::Tensor& destinations, const at::Tensor& condition) {
  const at::Tensor from = sources.to(at::kDouble);
  const at::Tensor source = mapper.source_embedding ? linear(*mapper.source_embedding, from) : from;
  at::Tensor x =
      norm(mapper.norm_destination, linear(mapper.destination_embedding, destinations.to(at::kDouble)), condition);
  x = x + attention(mapper.attention, x, norm(mapper.norm_source, source, condition));
  x = x + sequential(mapper.mlp, norm(mapper.norm_mlp, x, condition));
  return mapper.extractor ? sequential(*mapper.extractor, x) : x;
}

at::Tensor naive_sequential(const checkpoint::SequentialDescription& layers, const at::Tensor& x) {
  return sequential(layers, x);
}

}  // namespace tradewind::testing
