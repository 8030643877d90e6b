#include "worker/nn/graph_transformer_block.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "common/errors.h"
#include "worker/nn/operations.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {
namespace {

template <typename Layer, typename Description>
std::optional<Layer> make_optional_norm(const std::optional<Description>& description) {
  if (!description) return std::nullopt;
  return Layer(*description);
}

kernels::Element element_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return kernels::Element::f32;
    case at::kBFloat16:
      return kernels::Element::bf16;
    case at::kHalf:
      return kernels::Element::f16;
    default:
      throw InternalFault("keys of a type without a kernel");
  }
}

}  // namespace

GraphTransformerBlock::GraphTransformerBlock(const checkpoint::GraphTransformerBlockDescription& description,
                                             Precision precision)
    : heads_(description.heads),
      head_size_(description.head_size),
      stored_type_(scalar_type(precision)),
      query_(description.query, precision),
      key_(description.key, precision),
      value_(description.value, precision),
      self_(description.self, precision),
      projection_(description.projection, precision),
      norm_destination_(description.norm_destination, precision),
      norm_mlp_(description.norm_mlp, precision),
      query_norm_(make_optional_norm<LayerNorm>(description.query_norm)),
      key_norm_(make_optional_norm<LayerNorm>(description.key_norm)),
      mlp_(description.mlp, precision) {
  if (description.norm_source) norm_source_.emplace(*description.norm_source, precision);
  if (description.edge_mlp) edge_mlp_.emplace(*description.edge_mlp, Precision::f32);
  const at::Tensor weight = weights::bind_float(description.edge.weight);
  for (const Linear* linear : {&query_, &key_, &value_, &self_}) {
    if (linear->outputs() != attention_channels() || weight.size(0) != attention_channels()) {
      throw UserError("the projections of a graph attention do not have " + std::to_string(heads_) + " heads of " +
                          std::to_string(head_size_),
                      description.query.weight.path, "the checkpoint is damaged or of an unknown layout");
    }
  }
  const std::int64_t padding = kernels::attribute_padding;
  const std::int64_t padded = (weight.size(1) + padding - 1) / padding * padding;
  edge_weight_ = at::constant_pad_nd(weight, {0, padded - weight.size(1)});
  edge_weight_t_ = edge_weight_.t().contiguous();
  if (description.edge.bias) edge_bias_ = weights::bind_float(*description.edge.bias);
}

void GraphTransformerBlock::move_to(at::Device device) {
  if (!device.is_cpu() &&
      (head_size_ > kernels::cuda_head_size_limit || edge_weight_.size(1) > kernels::cuda_attribute_limit)) {
    throw UserError("graph attention with heads of " + std::to_string(head_size_) + " channels and " +
                        std::to_string(edge_weight_.size(1)) + " edge attributes does not run on CUDA (at most " +
                        std::to_string(kernels::cuda_head_size_limit) + " and " +
                        std::to_string(kernels::cuda_attribute_limit) + ")",
                    "device", "set device: cpu");
  }
  move_all(device, query_, key_, value_, self_, projection_, norm_destination_, norm_mlp_, norm_source_, query_norm_,
           key_norm_, edge_mlp_, mlp_, edge_weight_, edge_weight_t_, edge_bias_);
}

std::int64_t GraphTransformerBlock::widest() const { return std::max(attention_channels(), mlp_.widest()); }

AttentionEdges attention_edges(const graph::Edges& edges, at::Tensor attributes) {
  return {at::tensor(edges.first, at::kLong), at::tensor(edges.source, at::kInt), std::move(attributes)};
}

at::Tensor GraphTransformerBlock::prepare(const at::Tensor& raw, Workspace& workspace) const {
  at::Tensor attributes = raw.contiguous();
  const std::int64_t padded = edge_weight_.size(1);
  if (edge_mlp_) {
    const at::Tensor before = attributes;
    attributes = at::empty({before.size(0), edge_mlp_->outputs(before.size(1))}, before.options());
    const std::int64_t step = chunk_rows(edge_mlp_->widest(), std::max<std::int64_t>(1, before.size(0)));
    for (std::int64_t begin = 0; begin < before.size(0); begin += step) {
      const std::int64_t count = std::min(step, before.size(0) - begin);
      (*edge_mlp_)(before.narrow(0, begin, count), attributes.narrow(0, begin, count), false, workspace);
    }
  }
  if (attributes.size(1) > padded || padded - attributes.size(1) >= kernels::attribute_padding) {
    throw UserError("the graph's edges have " + std::to_string(attributes.size(1)) +
                        " attributes, the layer was made for another number",
                    {}, "the checkpoint is damaged or of an unknown layout");
  }
  return at::constant_pad_nd(attributes, {0, padded - attributes.size(1)}).contiguous();
}

bool GraphTransformerBlock::conditional() const {
  return norm_destination_.conditional() || norm_mlp_.conditional() || (norm_source_ && norm_source_->conditional());
}

void GraphTransformerBlock::keys_values(const at::Tensor& x, const SameRows* condition, at::Tensor key,
                                        at::Tensor value, Workspace& workspace) const {
  at::Tensor normalized = x;
  if (norm_source_) {
    normalized = workspace.take(Workspace::normalized, x.size(0), x.size(1));
    (*norm_source_)(x, 0, condition, normalized, workspace);
  }
  const auto project = [&](const Linear& linear, const std::optional<LayerNorm>& norm, at::Tensor& out) {
    const bool direct = out.scalar_type() == at::kFloat;
    at::Tensor result = direct ? out : workspace.take(Workspace::result, x.size(0), attention_channels());
    linear(normalized, result, workspace);
    if (norm) (*norm)(result, result, workspace);
    if (!direct) out.copy_(result);
  };
  project(key_, key_norm_, key);
  project(value_, std::nullopt, value);
}

void GraphTransformerBlock::queries(const at::Tensor& normalized, at::Tensor query, Workspace& workspace) const {
  query_(normalized, query, workspace);
  if (query_norm_) (*query_norm_)(query, query, workspace);
}

void GraphTransformerBlock::add_self(const at::Tensor& normalized, at::Tensor x, Workspace& workspace) const {
  at::Tensor result = workspace.take(Workspace::result, x.size(0), attention_channels());
  self_(normalized, result, workspace);
  projection_.add(result, std::move(x), workspace);
}

void GraphTransformerBlock::attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                   const AttentionEdges& edges, std::int64_t begin, at::Tensor out,
                                   const Workspace& workspace) const {
  kernels::GraphAttention arguments;
  arguments.query = query.const_data_ptr<float>();
  arguments.key = key.const_data_ptr();
  arguments.value = value.const_data_ptr();
  arguments.element = element_of(key.scalar_type());
  arguments.first_edge = edges.first.const_data_ptr<std::int64_t>() + begin;
  arguments.source = edges.source.const_data_ptr<std::int32_t>();
  arguments.attributes = edges.attributes.const_data_ptr<float>();
  arguments.weight = edge_weight_.const_data_ptr<float>();
  arguments.weight_t = edge_weight_t_.const_data_ptr<float>();
  arguments.bias = edge_bias_.defined() ? edge_bias_.const_data_ptr<float>() : nullptr;
  arguments.out = out.mutable_data_ptr<float>();
  arguments.heads = heads_;
  arguments.head_size = head_size_;
  arguments.attribute_size = edge_weight_.size(1);
  arguments.scale = 1.0F / std::sqrt(static_cast<float>(head_size_));
  workspace.operations().graph_attention(arguments, query.size(0));
}

void GraphTransformerBlock::add_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                          const AttentionEdges& edges, std::int64_t begin, at::Tensor x,
                                          Workspace& workspace) const {
  at::Tensor attended = workspace.take(Workspace::attended, query.size(0), attention_channels());
  attend(query, key, value, edges, begin, attended, workspace);
  projection_.add_product(attended, std::move(x), workspace);
}

void GraphTransformerBlock::add_mlp(at::Tensor x, std::int64_t first, const RowSource* condition,
                                    Workspace& workspace) const {
  at::Tensor normalized = workspace.take(Workspace::normalized, x.size(0), x.size(1));
  norm_mlp_(x, first, condition, normalized, workspace);
  mlp_(normalized, std::move(x), true, workspace);
}

}  // namespace tradewind::nn
