#include "worker/nn/linear.h"

#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {

at::ScalarType scalar_type(config::Precision precision) {
  switch (precision) {
    case config::Precision::f32:
      return at::kFloat;
    case config::Precision::f16:
      return at::kHalf;
    case config::Precision::bf16:
      return at::kBFloat16;
  }
  throw InternalFault("a precision without a type");
}

Linear::Linear(const checkpoint::LinearDescription& description, config::Precision precision)
    : type_(scalar_type(precision)) {
  const auto& weight = description.weight;
  if (weight.shape.size() != 2 ||
      (description.bias && (description.bias->shape.size() != 1 || description.bias->shape[0] != weight.shape[0]))) {
    throw UserError("a linear layer's weight and bias do not fit each other", weight.path,
                    "the checkpoint is damaged or of an unknown layout");
  }
  if (type_ == at::kFloat) {
    weight_ = weights::bind_float(weight);
  } else {
    weight_ = weights::bind(weight).to(type_).contiguous();
    weights::forget_pages(weight);
  }
  if (description.bias) bias_ = weights::bind(*description.bias).to(type_).to(at::kFloat).contiguous();
}

// The values of x as the products see them.
at::Tensor Linear::product_operand(const at::Tensor& x, Workspace& workspace) const {
  if (type_ == at::kFloat) return x;
  at::Tensor rounded = workspace.take(Workspace::low, x.size(0), x.size(1));
  rounded.copy_(x.to(type_));
  return rounded;
}

at::Tensor Linear::product_weight(Workspace& workspace) const {
  if (type_ == at::kFloat) return weight_;
  at::Tensor wide = workspace.take(Workspace::weight, weight_.size(0), weight_.size(1));
  return wide.copy_(weight_);
}

void Linear::operator()(const at::Tensor& x, at::Tensor out, Workspace& workspace) const {
  const at::Tensor operand = product_operand(x, workspace), weight = product_weight(workspace).t();
  if (bias_.defined()) {
    at::addmm_out(out, bias_, operand, weight);
  } else {
    at::mm_out(out, operand, weight);
  }
}

void Linear::add_product(const at::Tensor& x, at::Tensor out, Workspace& workspace) const {
  out.addmm_(product_operand(x, workspace), product_weight(workspace).t());
}

void Linear::add(const at::Tensor& x, at::Tensor out, Workspace& workspace) const {
  add_product(x, out, workspace);
  if (bias_.defined()) out.add_(bias_);
}

}  // namespace tradewind::nn
