#include "worker/nn/activation.h"

#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/nn/operations.h"

namespace tradewind::nn {

void activate(checkpoint::Activation activation, at::Tensor& x, const Workspace& workspace) {
  using checkpoint::Activation;
  switch (activation) {
    case Activation::gelu:
      workspace.operations().gelu(x);
      return;
    case Activation::gelu_tanh:
      x.copy_(at::gelu(x, "tanh"));
      return;
    case Activation::silu:
      at::silu_(x);
      return;
    case Activation::relu:
      x.relu_();
      return;
    case Activation::sigmoid:
      x.sigmoid_();
      return;
    case Activation::tanh:
      x.tanh_();
      return;
    case Activation::leaky_relu:
      at::leaky_relu_(x, 0.01);
      return;
    case Activation::identity:
      return;
  }
  throw InternalFault("an activation without a function");
}

}  // namespace tradewind::nn
