#include "worker/nn/layer_norm.h"

#include "common/errors.h"
#include "worker/nn/move.h"
#include "worker/nn/operations.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {
namespace {

at::Tensor bind_checked(const checkpoint::TensorDescriptor& tensor, std::int64_t size) {
  if (tensor.elements() != size) {
    throw UserError(
        "a layer norm over " + std::to_string(size) + " values has " + std::to_string(tensor.elements()) + " weights",
        tensor.path, "the checkpoint is damaged or of an unknown layout");
  }
  return weights::bind_float(tensor);
}

}  // namespace

LayerNorm::LayerNorm(const checkpoint::LayerNormDescription& description)
    : size_(description.size), epsilon_(description.epsilon) {
  if (description.weight) weight_ = bind_checked(*description.weight, size_);
  if (description.bias) bias_ = bind_checked(*description.bias, size_);
}

void LayerNorm::with(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x, at::Tensor out,
                     const Workspace& workspace) const {
  workspace.operations().layer_norm(x, std::move(out), size_, weight, bias, epsilon_);
}

void LayerNorm::operator()(const at::Tensor& x, at::Tensor out, const Workspace& workspace) const {
  workspace.operations().layer_norm(x, std::move(out), size_, weight_, bias_, epsilon_);
}

void LayerNorm::move_to(at::Device device) { move_all(device, weight_, bias_); }

}  // namespace tradewind::nn
