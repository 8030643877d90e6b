// Linear layers, layer norms, activations and gated layers one after the other: an MLP or a data extractor. Works on a
// chunk of rows; callers cut large inputs. Immutable; thread-safe as long as the workspace is not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <variant>
#include <vector>

#include "common/checkpoint/description.h"
#include "worker/nn/activation.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/linear.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class Sequential {
 public:
  Sequential(const checkpoint::SequentialDescription& description, Precision precision);
  // x (rows, inputs) to out (rows, outputs), contiguous float32; with `add`, out += the result.
  void operator()(const at::Tensor& x, at::Tensor out, bool add, Workspace& workspace) const;
  // The same; x may be written to.
  void consume(at::Tensor x, at::Tensor out, bool add, Workspace& workspace) const;
  void move_to(at::Device device);
  // The widest row between the layers, and what goes out for `inputs` going in.
  std::int64_t widest() const { return widest_; }
  std::int64_t outputs(std::int64_t inputs) const;

 private:
  struct Gated {
    Linear gate, value;
    checkpoint::Activation activation;
  };
  void run(at::Tensor x, bool own, at::Tensor out, bool add, Workspace& workspace) const;
  using Layer = std::variant<Linear, LayerNorm, checkpoint::Activation, Gated>;
  std::vector<Layer> layers_;
  std::int64_t widest_ = 0;
};

}  // namespace tradewind::nn
