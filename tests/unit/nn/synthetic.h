// Descriptions of layers with random weights, and the layers' formulas in double precision without any of the
// shortcuts: an edge's projection is made for every edge, every query sees a mask over every key.
#pragma once

#include <ATen/ATen.h>

#include <deque>
#include <optional>

#include "common/checkpoint/description.h"

namespace tradewind::testing {

// Makes weights and keeps their memory.
class Weights {
 public:
  explicit Weights(std::uint64_t seed) { at::manual_seed(seed); }
  checkpoint::TensorDescriptor keep(const at::Tensor& tensor);
  checkpoint::TensorDescriptor random(at::IntArrayRef shape, double scale = 1);
  checkpoint::LinearDescription linear(std::int64_t outputs, std::int64_t inputs, bool bias = true);
  checkpoint::LayerNormDescription norm(std::int64_t size);
  // Not affine, but scaled and shifted by a condition of so many values.
  checkpoint::NormDescription conditional_norm(std::int64_t size, std::int64_t condition);
  checkpoint::SequentialDescription mlp(std::int64_t channels, checkpoint::Activation activation);
  checkpoint::NodeDescription nodes(std::int64_t count, std::int64_t trainable);
  // Random edges in random order; the last destination has none.
  checkpoint::GraphDescription graph(std::int64_t sources, std::int64_t destinations, std::int64_t edges,
                                     std::int64_t attributes, std::int64_t trainable, bool reordered);
  checkpoint::GraphTransformerMapperDescription mapper(const checkpoint::GraphDescription& graph,
                                                       std::int64_t source_inputs, std::int64_t destination_inputs,
                                                       std::int64_t heads, std::int64_t head_size, bool qk_norm,
                                                       bool edge_mlp, std::optional<std::int64_t> extracted);
  // For a mapper when `channels` are those of its sources and destinations; `processor`: no norm of the sources. The
  // MLP is gated when `gate` is given.
  checkpoint::GraphTransformerBlockDescription graph_block(std::int64_t channels, std::int64_t heads,
                                                           std::int64_t head_size, std::int64_t attributes,
                                                           bool qk_norm, bool edge_mlp, bool processor,
                                                           std::optional<checkpoint::Activation> gate = {});
  // Two hidden layers and a linear one, the first gated when `gate` is given; then a norm.
  checkpoint::SequentialDescription normed_mlp(std::int64_t outputs, std::int64_t inputs, std::int64_t hidden,
                                               std::optional<checkpoint::Activation> gate = {});
  checkpoint::GraphConvBlockDescription conv_block(std::int64_t channels,
                                                   std::optional<checkpoint::Activation> gate = {});
  // Backward when `extracted` is given: neither sources nor destinations are embedded then.
  checkpoint::GraphConvMapperDescription conv_mapper(const checkpoint::GraphDescription& graph, std::int64_t channels,
                                                     std::int64_t source_inputs, std::int64_t destination_inputs,
                                                     std::optional<std::int64_t> extracted,
                                                     std::optional<checkpoint::Activation> gate = {});
  checkpoint::TransformerBlockDescription transformer_block(std::int64_t heads, std::int64_t head_size,
                                                            std::optional<std::int64_t> window, bool qk_norm);
  // The attention is heads * head_size wide, the rows `channels`.
  checkpoint::TransformerMapperDescription transformer_mapper(std::int64_t source_inputs,
                                                              std::int64_t destination_inputs, std::int64_t channels,
                                                              std::int64_t heads, std::int64_t head_size,
                                                              std::optional<std::int64_t> window, bool qk_norm,
                                                              std::optional<std::int64_t> extracted);

 private:
  std::deque<at::Tensor> kept_;
};

// condition: of all rows, for norms that take one.
at::Tensor naive_mapper(const checkpoint::GraphTransformerMapperDescription& mapper, const at::Tensor& sources,
                        const at::Tensor& destinations, const at::Tensor& condition = {});
at::Tensor naive_conv_mapper(const checkpoint::GraphConvMapperDescription& mapper, const at::Tensor& sources,
                             const at::Tensor& destinations);
// What a forward mapper makes of its sources.
at::Tensor naive_updated_sources(const checkpoint::GraphConvMapperDescription& mapper, const at::Tensor& sources);
at::Tensor naive_graph_conv(const checkpoint::GraphConvProcessorDescription& processor, const at::Tensor& x);
// condition: of the rows, for norms that take one.
at::Tensor naive_graph_transformer(const checkpoint::GraphTransformerProcessorDescription& processor,
                                   const at::Tensor& x, const at::Tensor& condition = {});
at::Tensor naive_sequential(const checkpoint::SequentialDescription& layers, const at::Tensor& x);
at::Tensor naive_transformer_mapper(const checkpoint::TransformerMapperDescription& mapper, const at::Tensor& sources,
                                    const at::Tensor& destinations, const at::Tensor& condition = {});
at::Tensor naive_transformer(const checkpoint::TransformerProcessorDescription& processor, const at::Tensor& x,
                             const at::Tensor& condition = {});

}  // namespace tradewind::testing
