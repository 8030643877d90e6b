// Attention of destination rows to their sources along the edges of a graph, and the MLP after it: the parts that a
// mapper (and a graph processor) puts together. See GraphTransformerBlockDescription for the formula. Edge projections
// are folded into queries and results, so nothing is ever as large as edges times channels. Immutable; thread-safe as
// long as workspaces are not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "worker/graph/edges.h"
#include "worker/nn/conditional_norm.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/linear.h"
#include "worker/nn/move.h"
#include "worker/nn/sequential.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

// The edges of a destination range: edges of row i are [first[i], first[i + 1]), their sources rows of keys and values.
struct AttentionEdges {
  at::Tensor first;       // (rows + 1) int64
  at::Tensor source;      // (edges) int32
  at::Tensor attributes;  // (edges, padded) float32, as `prepare` of the block makes them
  void move_to(at::Device device) { move_all(device, first, source, attributes); }
};
AttentionEdges attention_edges(const graph::Edges& edges, at::Tensor attributes);

class GraphTransformerBlock {
 public:
  GraphTransformerBlock(const checkpoint::GraphTransformerBlockDescription& description, Precision precision);

  // Throws UserError for heads and edges that the CUDA kernel does not take.
  void move_to(at::Device device);

  std::int64_t attention_channels() const { return heads_ * head_size_; }
  std::int64_t channels() const { return projection_.outputs(); }
  at::ScalarType stored_type() const { return stored_type_; }
  std::int64_t widest() const;

  // Whether the block has an MLP of its own for the attributes of edges.
  bool has_edge_mlp() const { return edge_mlp_.has_value(); }
  // attributes (edges, n) of the graph, as the kernel wants them: after the edge MLP, columns padded.
  at::Tensor prepare(const at::Tensor& attributes, Workspace& workspace) const;

  // Whether a norm takes a condition.
  bool conditional() const;
  // Keys and values (rows, attention channels) of source rows x (rows, channels), in stored_type(). condition: of all
  // rows, for a norm of the sources that takes one.
  void keys_values(const at::Tensor& x, const SameRows* condition, at::Tensor key, at::Tensor value,
                   Workspace& workspace) const;
  // normalized: (rows, channels) the destination rows after their norm.
  // condition: of own rows, of which x are those from `first` on; null where nothing conditions the norms.
  void normalize(const at::Tensor& x, std::int64_t first, const RowSource* condition, at::Tensor normalized,
                 Workspace& workspace) const {
    norm_destination_(x, first, condition, std::move(normalized), workspace);
  }
  const ConditionalNorm& norm() const { return norm_destination_; }
  void queries(const at::Tensor& normalized, at::Tensor query, Workspace& workspace) const;
  // What the attention adds beside the edges: x += projection(self(normalized)), with the projection's bias.
  void add_self(const at::Tensor& normalized, at::Tensor x, Workspace& workspace) const;
  // x (rows, channels) += projection(attention) for destination rows [begin, begin + rows) of `edges`, whose sources
  // are rows of key and value; no bias.
  void add_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     const AttentionEdges& edges, std::int64_t begin, at::Tensor x, Workspace& workspace) const;
  // x += mlp(norm(x)); first, condition as for normalize.
  void add_mlp(at::Tensor x, std::int64_t first, const RowSource* condition, Workspace& workspace) const;

 private:
  void attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const AttentionEdges& edges,
              std::int64_t begin, at::Tensor out, const Workspace& workspace) const;

  std::int64_t heads_, head_size_;
  at::ScalarType stored_type_;
  Linear query_, key_, value_, self_, projection_;
  ConditionalNorm norm_destination_, norm_mlp_;
  std::optional<ConditionalNorm> norm_source_;
  std::optional<LayerNorm> query_norm_, key_norm_;
  std::optional<Sequential> edge_mlp_;
  Sequential mlp_;
  at::Tensor edge_weight_, edge_weight_t_, edge_bias_;  // (channels, padded), (padded, channels), (channels)
};

}  // namespace tradewind::nn
