// The two ways that layers can go, and what they were asked to compute with.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/unit/nn/device_path.h"
#include "worker/nn/workspace.h"

using namespace tradewind;

TEST_CASE("the way of other devices is taken when it is asked for, and only then") {
  const bool asked = std::getenv("TRADEWIND_TEST_DEVICE_PATH") != nullptr;
  CHECK((testing::operations().get() == &nn::cpu_operations()) == !asked);
  CHECK((testing::operations() == testing::device_operations()) == asked);
  nn::Workspace workspace;
  CHECK(&workspace.operations() == &nn::cpu_operations());
  workspace.move_to(at::kCPU, *testing::device_operations());
  CHECK(&workspace.operations() == testing::device_operations().get());
}

TEST_CASE("each operation gives on both ways the same") {
  at::manual_seed(5);
  const auto both = [](const at::Tensor& start, const auto& call) {
    at::Tensor a = start.clone(), b = start.clone();
    call(nn::cpu_operations(), a);
    call(*testing::device_operations(), b);
    return (a - b).abs().max().item<double>();
  };
  const at::Tensor x = at::randn({37, 48}), weight = at::randn({16}), bias = at::randn({16}), none;
  CHECK(both(x, [&](const nn::Operations& o, at::Tensor& y) { o.layer_norm(y, y, 16, weight, bias, 1e-5); }) < 1e-5);
  CHECK(both(x, [&](const nn::Operations& o, at::Tensor& y) { o.layer_norm(y, y, 48, none, none, 1e-5); }) < 1e-5);
  CHECK(both(x * 3, [](const nn::Operations& o, at::Tensor& y) { o.gelu(y); }) < 3e-6);
  CHECK(both(x, [](const nn::Operations& o, at::Tensor& y) { o.rotate(y, 1000, 3, 16); }) < 1e-5);
  const at::Tensor index = at::randint(0, 37, {50}, at::kLong), short_index = index.to(at::kInt);
  CHECK(both(at::zeros({50, 48}), [&](const nn::Operations& o, at::Tensor& y) { o.gather_rows(x, index, y); }) == 0);
  const at::Tensor start = at::randn({50, 48}), other = at::randn({9, 48}), other_index = short_index.remainder(9);
  for (const bool gelu : {false, true}) {
    for (const nn::PickedRows& second : {nn::PickedRows{}, nn::PickedRows{other, other_index}}) {
      CHECK(both(start, [&](const nn::Operations& o, at::Tensor& y) {
              o.sum_gathered_rows(y, {x, short_index}, second, gelu, y);
            }) < 3e-6);
    }
  }
  const at::Tensor first = at::tensor({7, 7, 10, 30, 44}, at::kLong);
  CHECK(both(at::randn({4, 48}), [&](const nn::Operations& o, at::Tensor& y) { o.sum_segments(x, first, y); }) < 1e-5);
  const nn::SparseEntries matrix{first, at::randint(0, 37 + 9, {37}, at::kInt), at::randn({37})};
  CHECK(both(at::randn({4, 48}),
             [&](const nn::Operations& o, at::Tensor& y) { o.sum_weighted_rows(matrix, x, other, y); }) < 1e-5);
  const preprocess::Affine affine{at::randn({48}), at::randn({48})};
  for (const preprocess::Affine* scale : {static_cast<const preprocess::Affine*>(nullptr), &affine}) {
    for (const at::Tensor& which : {index, at::Tensor()}) {
      const at::Tensor wider = at::zeros({which.defined() ? 50 : 30, 60});
      CHECK(both(wider, [&](const nn::Operations& o, at::Tensor& y) { o.copy_rows(x, which, 4, scale, y, 7); }) < 1e-6);
    }
  }
  const at::Tensor from = at::tensor({3, 0, 47}, at::kLong), to = at::tensor({1, 2, 0}, at::kLong);
  CHECK(both(at::randn({37, 4}),
             [&](const nn::Operations& o, at::Tensor& y) { o.add_scaled_columns(x, affine, from, to, y); }) < 1e-6);
}
