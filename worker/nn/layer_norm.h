// (x - mean) / sqrt(variance + epsilon) * weight + bias over the last `size` values, float32. Immutable, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class LayerNorm {
 public:
  explicit LayerNorm(const checkpoint::LayerNormDescription& description);
  // x and out contiguous, any shape whose number of values is a multiple of size; out may be x.
  void operator()(const at::Tensor& x, at::Tensor out, const Workspace& workspace) const;
  // The same with other weights, (size) float32 contiguous.
  void with(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x, at::Tensor out,
            const Workspace& workspace) const;
  void move_to(at::Device device);
  std::int64_t size() const { return size_; }

 private:
  std::int64_t size_;
  double epsilon_;
  at::Tensor weight_, bias_;
};

}  // namespace tradewind::nn
