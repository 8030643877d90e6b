// The small layers that every family is made of, as a checkpoint's description (description.h) has them. Plain values;
// tensors view the mapped file, which must outlive them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "common/checkpoint/tensor_descriptor.h"

namespace tradewind::checkpoint {

// y = x W^T + b; weight (out, in). A fused q, k, v projection is already cut here: its parts are views of its rows.
struct LinearDescription {
  TensorDescriptor weight;
  std::optional<TensorDescriptor> bias;
  bool operator==(const LinearDescription&) const = default;
};

// Over the last dimension; weight and bias absent when not affine.
struct LayerNormDescription {
  std::optional<TensorDescriptor> weight, bias;
  std::int64_t size = 0;
  double epsilon = 1e-5;
  bool operator==(const LayerNormDescription&) const = default;
};

// A layer norm; with a condition c of each row norm(x) * (scale(c) + 1) + shift(c).
struct ConditionDescription {
  LinearDescription scale, shift;
  bool operator==(const ConditionDescription&) const = default;
};
struct NormDescription : LayerNormDescription {
  std::optional<ConditionDescription> condition;
  NormDescription(LayerNormDescription plain = {})  // NOLINT(google-explicit-constructor): a norm without a condition
      : LayerNormDescription(std::move(plain)) {}
  bool operator==(const NormDescription&) const = default;
};

enum class Activation { gelu, gelu_tanh, silu, relu, sigmoid, tanh, leaky_relu, identity };

// gate(W_g x + b_g) * (W_v x + b_v)
struct GatedDescription {
  LinearDescription gate, value;
  Activation activation = Activation::sigmoid;
  bool operator==(const GatedDescription&) const = default;
};

// Applied in order.
using SequentialLayer = std::variant<LinearDescription, LayerNormDescription, Activation, GatedDescription>;
struct SequentialDescription {
  std::vector<SequentialLayer> layers;
  bool operator==(const SequentialDescription&) const = default;
};

}  // namespace tradewind::checkpoint
