#include "worker/nn/linear.h"
#include "tests/unit/nn/device_path.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "tests/unit/nn/synthetic.h"
#include "worker/nn/sequential.h"
#include "worker/weights/bind.h"

using namespace tradewind;

namespace {

at::Tensor rounded(const at::Tensor& x, at::ScalarType type) { return x.to(type).to(at::kDouble); }

double worst(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kDouble) - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("a linear layer in each precision multiplies what the type can hold") {
  testing::Weights weights(9);
  const auto description = weights.linear(33, 70);
  const at::Tensor weight = weights::bind(description.weight), bias = weights::bind(*description.bias);
  const at::Tensor x = at::randn({21, 70}), start = at::randn({21, 33});
  nn::Workspace workspace(*testing::operations());
  for (const Precision precision : {Precision::f32, Precision::f16, Precision::bf16}) {
    const at::ScalarType type = nn::scalar_type(precision);
    const at::Tensor product = at::matmul(rounded(x, type), rounded(weight, type).t());
    const at::Tensor expected = product + rounded(bias, type);
    for (const nn::Products products : {nn::Products::widened, nn::Products::native}) {
      // The native product is rounded once more, to the type.
      const bool low = products == nn::Products::native && type != at::kFloat;
      const double limit = low ? (type == at::kHalf ? 4e-3 : 3e-2) : 1e-5;
      const nn::Linear linear(description, precision, products);
      at::Tensor out = at::empty({21, 33});
      linear(x, out, workspace);
      CHECK(worst(out, expected) < limit);
      at::Tensor sum = start.clone();
      linear.add(x, sum, workspace);
      CHECK(worst(sum, expected + start) < limit);
      sum = start.clone();
      linear.add_product(x, sum, workspace);
      CHECK(worst(sum, product + start) < limit);
    }
  }
}

TEST_CASE("float32 weights are views of the checkpoint") {
  testing::Weights weights(10);
  const auto description = weights.random({4, 5});
  CHECK(weights::bind_float(description).const_data_ptr() == static_cast<const void*>(description.data));
}

TEST_CASE("only pages of a read-only file mapping are forgotten") {
  testing::Weights weights(12);
  const auto in_memory = weights.random({300, 100});
  const at::Tensor view = weights::bind(in_memory), before = view.clone();
  weights::forget_pages(in_memory);
  CHECK(at::equal(view, before));
}

TEST_CASE("a sequence may start with an activation, end with a norm, and leaves its input alone") {
  testing::Weights weights(11);
  checkpoint::SequentialDescription description;
  description.layers = {checkpoint::Activation::tanh, weights.linear(6, 5), checkpoint::Activation::gelu_tanh,
                        weights.norm(6)};
  const auto& linear = std::get<checkpoint::LinearDescription>(description.layers[1]);
  const auto& norm = std::get<checkpoint::LayerNormDescription>(description.layers[3]);
  const at::Tensor x = at::randn({7, 5}), before = x.clone();
  const at::Tensor inner =
      at::gelu(at::linear(x.tanh(), weights::bind(linear.weight), weights::bind(*linear.bias)).to(at::kDouble), "tanh");
  const at::Tensor expected = at::layer_norm(inner, {6}, weights::bind(*norm.weight).to(at::kDouble),
                                             weights::bind(*norm.bias).to(at::kDouble), 1e-5);
  const nn::Sequential sequential(description, Precision::f32);
  CHECK(sequential.outputs(5) == 6);
  nn::Workspace workspace(*testing::operations());
  at::Tensor out = at::empty({7, 6}), sum = at::ones({7, 6});
  sequential(x, out, false, workspace);
  sequential(x, sum, true, workspace);
  CHECK(worst(out, expected) < 1e-5);
  CHECK(worst(sum, expected + 1) < 1e-5);
  CHECK(at::equal(x, before));
}
