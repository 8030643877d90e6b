#include "worker/nn/layer_norm.h"

#include <ATen/Parallel.h>

#include "common/errors.h"
#include "worker/nn/kernels/kernels.h"
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

void LayerNorm::operator()(const at::Tensor& x, at::Tensor out) const {
  const float* from = x.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  const float* weight = weight_.defined() ? weight_.const_data_ptr<float>() : nullptr;
  const float* bias = bias_.defined() ? bias_.const_data_ptr<float>() : nullptr;
  const std::int64_t rows = x.numel() / size_;
  at::parallel_for(0, rows, 1 + (1 << 14) / size_, [&](std::int64_t begin, std::int64_t end) {
    kernels::table().layer_norm(from + begin * size_, to + begin * size_, end - begin, size_, weight, bias,
                                static_cast<float>(epsilon_));
  });
}

}  // namespace tradewind::nn
