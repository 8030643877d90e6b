// y = x W^T + b on rows of float32. With a 16 bit precision the weights are rounded to that type once, at load, and x
// when it is used. A processor that multiplies this type itself does so, and the product is rounded to it, as the
// reference's is; on any other the operands are widened again and the product stays float32, which is as exact and many
// times faster than arithmetic the processor does not have. On the CPU a small weight is packed at load for a product
// of our own (worker/kernels/product_kernel.h), since a library call costs more than it does; large ones stay views of
// the file. Immutable; thread-safe as long as the workspace is not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

enum class Products { widened, native };
// How this machine multiplies a type best.
Products best_products(at::ScalarType type);

class Linear {
 public:
  Linear(const checkpoint::LinearDescription& description, Precision precision);
  Linear(const checkpoint::LinearDescription& description, Precision precision, Products products);
  // Off the CPU products are always native.
  void move_to(at::Device device);
  std::int64_t inputs() const { return weight_.size(1); }
  std::int64_t outputs() const { return weight_.size(0); }
  // x (rows, inputs), out (rows, outputs), both float32 and contiguous; `after` is applied to out.
  void operator()(const at::Tensor& x, at::Tensor out, Workspace& workspace,
                  checkpoint::Activation after = checkpoint::Activation::identity) const;
  // out += x W^T + b
  void add(const at::Tensor& x, at::Tensor out, Workspace& workspace) const;
  // out += x W^T; `after` is applied to out.
  void add_product(const at::Tensor& x, at::Tensor out, Workspace& workspace,
                   checkpoint::Activation after = checkpoint::Activation::identity) const;

 private:
  at::Tensor rounded(const at::Tensor& x, Workspace& workspace) const;
  at::Tensor widened_operand(const at::Tensor& x, Workspace& workspace) const;
  at::Tensor widened_weight(Workspace& workspace) const;
  at::Tensor native_product(const at::Tensor& x, Workspace& workspace) const;
  bool packed_for(const Workspace& workspace) const;
  void packed_product(const at::Tensor& x, at::Tensor& out, bool add, bool with_bias, checkpoint::Activation after,
                      Workspace& workspace) const;

  at::Tensor weight_, bias_, packed_;
  at::ScalarType type_;
  bool native_;
};

// The type that products and stored keys and values have under a precision.
at::ScalarType scalar_type(Precision precision);

}  // namespace tradewind::nn
