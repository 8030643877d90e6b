// A whole model on a CUDA device against the same model on the CPU: on one rank, and over ranks that share the device,
// whose rows then go through the host.
#define DOCTEST_CONFIG_IMPLEMENT
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>

#include "common/checkpoint/opening/obstacles.h"
#include "tests/unit/dist/ranks.h"
#include "worker/device/device.h"
#include "worker/device/visible.h"
#include "worker/nn/model.h"
#include "worker/npz/npz.h"
#include "worker/runner/model_options.h"

using namespace tradewind;

namespace {

constexpr int skipped = 77;

at::Tensor predict(const checkpoint::ModelDescription& description, const at::Tensor& x, Precision precision,
                   const std::string& wanted, int world_size) {
  at::Tensor y = at::full({description.datasets[0].output_steps, x.size(1), description.datasets[0].output_variables},
                          NAN, at::kFloat);
  std::mutex mutex;
  testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
    const device::Device device = device::open_device(wanted, 0, [](const std::string& text) { FAIL(text); });
    nn::ModelOptions options = runner::model_options_on(device);
    options.precision = precision;
    const auto model = nn::make_model(description, options, communicator);
    const dist::RowRange rows = model->rows();
    const at::Tensor part =
        model->predict({x.slice(1, rows.begin, rows.end).contiguous().to(model->device())}, {}).front().cpu();
    CHECK((device.peak_bytes().value_or(0) > 0) == (wanted != "cpu"));
    const std::lock_guard<std::mutex> lock(mutex);
    y.slice(1, rows.begin, rows.end).copy_(part);
  });
  return y;
}

double worst_over_std(const at::Tensor& ours, const at::Tensor& expected) {
  return (std::get<0>((ours[0] - expected[0]).abs().max(0)) / expected[0].std(0, false)).max().item<double>();
}

}  // namespace

TEST_CASE("gt-transformer on CUDA equals the CPU, in each precision, over 1 to 4 ranks") {
  const std::filesystem::path folder = std::filesystem::path(TRADEWIND_GOLDEN_DIR) / "gt-transformer";
  const auto checkpoint = checkpoint::open_checkpoint((folder / "inference-last.ckpt").string());
  const at::Tensor x = npz::read(*archive::Archive::open((folder / "reference.npz").string()), "input_first");
  struct Case {
    Precision precision;
    double limit;  // of a variable's standard deviation
  };
  for (const Case& one : {Case{Precision::f32, 5e-5}, Case{Precision::bf16, 0.1}, Case{Precision::f16, 0.02}}) {
    const at::Tensor expected = predict(checkpoint.model, x, one.precision, "cpu", 1);
    for (const int world_size : {1, 2, 3, 4}) {
      const double worst = worst_over_std(predict(checkpoint.model, x, one.precision, "cuda:0", world_size), expected);
      MESSAGE(world_size, " ranks, precision ", static_cast<int>(one.precision), ": ", worst);
      CHECK(worst < one.limit);
    }
  }
}

int main(int argc, char** argv) {
  const device::Visible visible = device::visible_devices();
  if (visible.devices == 0) {
    std::printf("skipped: %s\n", visible.reason.c_str());
    return skipped;
  }
  try {
    device::open_device("cuda:0", 0, [](const std::string&) {});
  } catch (const std::exception& error) {
    std::printf("skipped: %s\n", error.what());
    return skipped;
  }
  return doctest::Context(argc, argv).run();
}
