#include "worker/nn/linear.h"

#include <ATen/ATen.h>

#include "common/checkpoint/layer_limits.h"
#include "common/errors.h"
#include "worker/kernels/kernels.h"
#include "worker/nn/activation.h"
#include "worker/nn/move.h"
#include "worker/nn/operations.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {
namespace {

at::Tensor packed(const at::Tensor& weight) {
  const kernels::KernelSet& set = kernels::best();
  const at::Tensor values = weight.to(at::kFloat);  // of the type's values, and rows that may be parts of wider ones
  at::Tensor out =
      at::empty({static_cast<std::int64_t>(set.packed_weight_size(values.size(1), values.size(0)))}, values.options());
  set.pack_weight(values.const_data_ptr<float>(), values.stride(0), values.size(1), values.size(0),
                  out.mutable_data_ptr<float>());
  return out;
}

}  // namespace

at::ScalarType scalar_type(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return at::kFloat;
    case Precision::f16:
      return at::kHalf;
    case Precision::bf16:
      return at::kBFloat16;
  }
  throw InternalFault("a precision without a type");
}

Products best_products(at::ScalarType type) {
#ifdef __x86_64__
  if (type == at::kBFloat16 && __builtin_cpu_supports("avx512bf16")) return Products::native;
#endif
  return type == at::kFloat ? Products::native : Products::widened;
}

Linear::Linear(const checkpoint::LinearDescription& description, Precision precision)
    : Linear(description, precision, best_products(scalar_type(precision))) {}

Linear::Linear(const checkpoint::LinearDescription& description, Precision precision, Products products)
    : type_(scalar_type(precision)), native_(products == Products::native && type_ != at::kFloat) {
  const auto& weight = description.weight;
  if (weight.shape.size() != 2 ||
      (description.bias && (description.bias->shape.size() != 1 || description.bias->shape[0] != weight.shape[0]))) {
    throw UserError("a linear layer's weight and bias do not fit each other", weight.path,
                    "the checkpoint is damaged or of an unknown layout");
  }
  if (type_ == at::kFloat) {
    const at::Tensor stored = weights::bind(weight);  // rows may be parts of wider ones: products take them so
    weight_ = stored.scalar_type() == at::kFloat && stored.stride(1) == 1 ? stored : weights::bind_float(weight);
  } else {
    weight_ = weights::bind(weight).to(type_).contiguous();
    weights::forget_pages(weight);
  }
  if (description.bias) bias_ = weights::bind(*description.bias).to(type_).to(at::kFloat).contiguous();
  if (!native_ && weight_.numel() <= checkpoint::limits::packed_values) packed_ = packed(weight_);
}

void Linear::move_to(at::Device device) {
  move_all(device, weight_, bias_);
  if (device.is_cpu()) return;
  native_ = type_ != at::kFloat;
  packed_.reset();
}

at::Tensor Linear::rounded(const at::Tensor& x, Workspace& workspace) const {
  return workspace.take(Workspace::rounded, x.size(0), x.size(1), type_).copy_(x);
}

at::Tensor Linear::widened_operand(const at::Tensor& x, Workspace& workspace) const {
  if (type_ == at::kFloat) return x;
  return workspace.take(Workspace::operand, x.size(0), x.size(1)).copy_(rounded(x, workspace));
}

at::Tensor Linear::widened_weight(Workspace& workspace) const {
  if (type_ == at::kFloat) return weight_;
  return workspace.take(Workspace::weight, weight_.size(0), weight_.size(1)).copy_(weight_);
}

at::Tensor Linear::native_product(const at::Tensor& x, Workspace& workspace) const {
  at::Tensor product = workspace.take(Workspace::product, x.size(0), outputs(), type_);
  return at::mm_out(product, rounded(x, workspace), weight_.t());
}

bool Linear::packed_for(const Workspace& workspace) const {
  return packed_.defined() && workspace.operations().packs_weights();
}

void Linear::packed_product(const at::Tensor& x, at::Tensor& out, bool add, bool with_bias,
                            checkpoint::Activation after, Workspace& workspace) const {
  const at::Tensor operand = widened_operand(x, workspace);
  kernels::Product arguments;
  arguments.x = operand.const_data_ptr<float>();
  arguments.weight = packed_.const_data_ptr<float>();
  arguments.bias = with_bias && bias_.defined() ? bias_.const_data_ptr<float>() : nullptr;
  arguments.out = out.mutable_data_ptr<float>();
  arguments.rows = operand.size(0);
  arguments.inputs = inputs();
  arguments.outputs = outputs();
  arguments.add = add;
  arguments.gelu = after == checkpoint::Activation::gelu;
  workspace.operations().packed_product(arguments);
  if (!arguments.gelu) activate(after, out, workspace);
}

void Linear::operator()(const at::Tensor& x, at::Tensor out, Workspace& workspace, checkpoint::Activation after) const {
  if (packed_for(workspace)) {
    packed_product(x, out, false, true, after, workspace);
    return;
  }
  if (native_) {
    out.copy_(native_product(x, workspace));
    if (bias_.defined()) out.add_(bias_);
  } else if (bias_.defined()) {
    at::addmm_out(out, bias_, widened_operand(x, workspace), widened_weight(workspace).t());
  } else {
    at::mm_out(out, widened_operand(x, workspace), widened_weight(workspace).t());
  }
  activate(after, out, workspace);
}

void Linear::add_product(const at::Tensor& x, at::Tensor out, Workspace& workspace,
                         checkpoint::Activation after) const {
  if (packed_for(workspace)) {
    packed_product(x, out, true, false, after, workspace);
    return;
  }
  if (native_) {
    out.add_(native_product(x, workspace));
  } else {
    out.addmm_(widened_operand(x, workspace), widened_weight(workspace).t());
  }
  activate(after, out, workspace);
}

void Linear::add(const at::Tensor& x, at::Tensor out, Workspace& workspace) const {
  if (packed_for(workspace)) {
    packed_product(x, out, true, true, checkpoint::Activation::identity, workspace);
    return;
  }
  add_product(x, out, workspace);
  if (bias_.defined()) out.add_(bias_);
}

}  // namespace tradewind::nn
