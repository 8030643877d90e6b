// With TRADEWIND_TEST_DEVICE_PATH in the environment every test of this program runs as it would off the CPU: ATen
// operations and the CUDA kernel's arithmetic in place of the CPU's kernels. Formulas and tolerances stay the same.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "worker/nn/operations.h"

using namespace tradewind;

namespace {

const bool asked = std::getenv("TRADEWIND_TEST_DEVICE_PATH") != nullptr;
const std::optional<nn::DevicePathOnCpu> forced = asked ? std::make_optional<nn::DevicePathOnCpu>() : std::nullopt;

}  // namespace

TEST_CASE("the way of other devices is taken when it is asked for, and only then") {
  const at::Tensor x = at::zeros({2, 2});
  CHECK(nn::on_cpu_kernels(x) == !asked);
  {
    const nn::DevicePathOnCpu here;
    CHECK_FALSE(nn::on_cpu_kernels(x));
    CHECK(&nn::operations(x) == &nn::device_operations());
  }
  CHECK(nn::on_cpu_kernels(x) == !asked);
}

TEST_CASE("each operation gives on both ways the same") {
  at::manual_seed(5);
  const auto both = [](const at::Tensor& start, const auto& call) {
    at::Tensor a = start.clone(), b = start.clone();
    call(nn::cpu_operations(), a);
    call(nn::device_operations(), b);
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
}
