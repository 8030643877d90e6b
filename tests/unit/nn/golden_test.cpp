// One model call against the reference's own tensors.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/opening/obstacles.h"
#include "tests/unit/nn/device_path.h"
#include "worker/nn/model.h"
#include "worker/npz/npz.h"

using namespace tradewind;

namespace {

const std::filesystem::path golden = TRADEWIND_GOLDEN_DIR;

// Largest difference of any variable in units of that variable's standard deviation over the grid; (..., variables).
// What is missing in the reference must be missing in ours.
double worst_over_std(const at::Tensor& ours, const at::Tensor& reference) {
  at::Tensor b = reference.to(at::kDouble).reshape({-1, reference.size(-1)});
  const at::Tensor missing = at::isnan(b);
  at::Tensor a = ours.to(at::kDouble).reshape({-1, ours.size(-1)});
  CHECK(at::equal(at::isnan(a), missing));
  const at::Tensor mean = b.nanmean(at::IntArrayRef{0}, true).expand_as(b);
  a = at::where(missing, mean, a), b = at::where(missing, mean, b);
  return (std::get<0>((a - b).abs().max(0)) / b.std(0, false).clamp_min(1e-30)).max().item<double>();
}

at::Tensor predict(const checkpoint::Checkpoint& checkpoint, const at::Tensor& x, Precision precision = Precision::f32,
                   const nn::StepContext& context = {}) {
  const auto alone = dist::make_single_communicator();
  nn::ModelOptions options;
  options.operations = testing::operations();
  options.precision = precision;
  return nn::make_model(checkpoint.model, options, *alone)->predict({x.contiguous()}, context).front();
}

}  // namespace

// One unit in the last place of a surface pressure is 1.4e-5 of its standard deviation.
TEST_CASE("every generation gives the reference's y from its x") {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden / "legacy")) {
    // Of the largest there are only the checkpoints; their references are among the further fixtures.
    if (!std::filesystem::exists(entry.path() / "reference.npz")) continue;
    const auto archive = archive::Archive::open((entry.path() / "reference.npz").string());
    const auto checkpoint = checkpoint::open_checkpoint((entry.path() / "inference-last.ckpt").string());
    const std::string name = entry.path().filename().string();
    const at::Tensor x = npz::read(*archive, "x")[0];
    nn::StepContext context;
    if (npz::holds(*archive, "noise")) {
      const at::Tensor noise = npz::read(*archive, "noise");
      context.noise = noise.reshape({noise.size(-2), noise.size(-1)});
    }
    for (const char* array : {"y", "y_fcstep1"}) {
      if (!npz::holds(*archive, array)) continue;
      const double worst = worst_over_std(predict(checkpoint, x, Precision::f32, context), npz::read(*archive, array));
      MESSAGE(name, ", ", std::string(array), ": ", worst, " standard deviations");
      CHECK_MESSAGE(worst < 5e-5, name);
      ++context.call;
    }
    ++cases;
  }
  CHECK(cases >= 6);
}

// The references of ensembles were drawn after torch.manual_seed(1234).
TEST_CASE("a seed's numbers are those that the reference drew") {
  for (const char* name : {"0.9.3-ens", "0.9.3-ens-small-injector", "0.11.3-ens-small-graph-cond"}) {
    const auto archive = archive::Archive::open((golden / "legacy" / name / "reference.npz").string());
    const at::Tensor noise = npz::read(*archive, "noise");
    CHECK(at::equal(at::randn(noise.sizes(), at::detail::createCPUGenerator(1234), at::kFloat), noise));
  }
}

TEST_CASE(
    "an ensemble without a deviation is the model whose noise is zero, for every seed; with one, members differ") {
  auto checkpoint = checkpoint::open_checkpoint((golden / "legacy" / "0.9.3-ens" / "inference-last.ckpt").string());
  const auto archive = archive::Archive::open((golden / "legacy" / "0.9.3-ens" / "reference.npz").string());
  const at::Tensor x = npz::read(*archive, "x")[0];
  const auto member = [&](std::uint64_t seed) {
    return predict(checkpoint, x, Precision::f32, {.random = at::detail::createCPUGenerator(seed)});
  };
  const auto& noise = checkpoint.model.noise.value();
  const at::Tensor still = predict(checkpoint, x, Precision::f32, {.noise = at::zeros({noise.rows, noise.channels})});
  std::vector<at::Tensor> members;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    members.push_back(member(seed));
    CHECK(worst_over_std(members.back(), still) > 1e-3);
    for (std::uint64_t other = 0; other < seed; ++other) CHECK(worst_over_std(members[other], members.back()) > 1e-3);
  }
  checkpoint.model.noise->deviation = 0;
  CHECK(at::equal(member(1), still));
  CHECK(at::equal(member(2), still));
}

TEST_CASE("gt-transformer, first call") {
  const auto archive = archive::Archive::open((golden / "gt-transformer" / "reference.npz").string());
  const auto checkpoint = checkpoint::open_checkpoint((golden / "gt-transformer" / "inference-last.ckpt").string());
  const at::Tensor x = npz::read(*archive, "input_first"), reference = npz::read(*archive, "output_first");
  const double f32 = worst_over_std(predict(checkpoint, x), reference);
  MESSAGE("f32: ", f32, " standard deviations");
  CHECK(f32 < 5e-5);
  // What the reference loses in one call is of this size; the forecast's limits are checked by the golden runs.
  const double bf16 = worst_over_std(predict(checkpoint, x, Precision::bf16), reference);
  const double f16 = worst_over_std(predict(checkpoint, x, Precision::f16), reference);
  MESSAGE("bf16: ", bf16, ", f16: ", f16);
  CHECK(bf16 < 0.1);
  CHECK(bf16 > f32);
  CHECK(f16 < 0.01);
  CHECK(f16 > f32);
}
