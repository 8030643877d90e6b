// A whole model over several ranks gives what one rank gives.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <mutex>

#include "common/checkpoint/opening/obstacles.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/nn/device_path.h"
#include "worker/nn/model.h"
#include "worker/npz/npz.h"

using namespace tradewind;

namespace {

at::Tensor predict(const checkpoint::ModelDescription& description, const at::Tensor& x, int world_size) {
  at::Tensor y = at::full({description.datasets[0].output_steps, x.size(1), description.datasets[0].output_variables},
                          NAN, at::kFloat);
  std::mutex mutex;
  testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
    const auto model = nn::make_model(description, {.operations = testing::operations()}, communicator);
    const dist::RowRange rows = model->rows();
    const at::Tensor part = model->predict({x.slice(1, rows.begin, rows.end).contiguous()}, {}).front();
    const std::lock_guard<std::mutex> lock(mutex);
    y.slice(1, rows.begin, rows.end).copy_(part);
  });
  return y;
}

}  // namespace

TEST_CASE("gt-transformer over 2, 3, 4 and 7 ranks equals one rank") {
  const std::filesystem::path folder = std::filesystem::path(TRADEWIND_GOLDEN_DIR) / "gt-transformer";
  const auto archive = archive::Archive::open((folder / "reference.npz").string());
  const auto checkpoint = checkpoint::open_checkpoint((folder / "inference-last.ckpt").string());
  const at::Tensor x = npz::read(*archive, "input_first");
  const at::Tensor whole = predict(checkpoint.model, x, 1);
  const at::Tensor deviation = whole[0].std(0, false);
  for (const int world_size : {2, 3, 4, 7}) {
    const at::Tensor sharded = predict(checkpoint.model, x, world_size);
    const at::Tensor difference = std::get<0>((sharded[0] - whole[0]).abs().max(0)) / deviation;
    CAPTURE(world_size);
    // Sums of other shapes differ in their last bits; one such bit of a pressure is 1.4e-5 of its deviation.
    CHECK(difference.max().item<double>() < 5e-5);
  }
}
