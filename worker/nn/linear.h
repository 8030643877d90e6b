// y = x W^T + b on rows of float32. With a 16 bit precision the weights are rounded to that type once, at load, and x
// when it is used; products are summed in float32, by the processor's own 16 bit arithmetic where it has it.
// Immutable; thread-safe as long as the workspace is not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"
#include "common/config/run_config.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class Linear {
 public:
  Linear(const checkpoint::LinearDescription& description, config::Precision precision);
  std::int64_t inputs() const { return weight_.size(1); }
  std::int64_t outputs() const { return weight_.size(0); }
  // x (rows, inputs), out (rows, outputs), both float32 and contiguous.
  void operator()(const at::Tensor& x, at::Tensor out, Workspace& workspace) const;
  // out += x W^T + b
  void add(const at::Tensor& x, at::Tensor out, Workspace& workspace) const;
  // out += x W^T
  void add_product(const at::Tensor& x, at::Tensor out, Workspace& workspace) const;

 private:
  at::Tensor product_operand(const at::Tensor& x, Workspace& workspace) const;
  at::Tensor product_weight(Workspace& workspace) const;
  at::Tensor weight_, bias_;
  at::ScalarType type_;
};

// The type that products and stored keys and values have under a precision.
at::ScalarType scalar_type(config::Precision precision);

}  // namespace tradewind::nn
