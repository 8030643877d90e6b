// Transport models: one call against the reference's own result, whatever the number of ranks; tendencies by their
// formula; the level's embedding.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <mutex>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/nn/level_embedding.h"
#include "worker/nn/model.h"
#include "worker/nn/tendency_rows.h"
#include "worker/npz/npz.h"

using namespace tradewind;
using testing::Weights;

namespace {

struct Case {
  checkpoint::Checkpoint checkpoint;
  at::Tensor x, y;
};

Case read_case() {
  const std::filesystem::path folder = std::filesystem::path(TRADEWIND_GOLDEN_DIR) / "transport-steps";
  const auto archive = archive::Archive::open((folder / "reference.npz").string());
  return {checkpoint::open_checkpoint((folder / "inference-last.ckpt").string()), npz::read(*archive, "input_first"),
          npz::read(*archive, "output_first")};
}

// All rows, by so many ranks, each with a generator of its own in the same state.
at::Tensor predict(const checkpoint::ModelDescription& description, const at::Tensor& x, int world_size,
                   const sampling::Choice& choice = {}, const at::Tensor& noise = {}, std::uint64_t seed = 42) {
  const auto& dataset = description.datasets[0];
  at::Tensor y = at::full({dataset.output_steps, x.size(1), dataset.output_variables}, 1e30, at::kFloat);
  std::mutex mutex;
  testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
    const auto model =
        nn::make_model(description, {.operations = testing::operations(), .sampling = choice}, communicator);
    const dist::RowRange rows = model->rows();
    nn::StepContext context{.random = at::detail::createCPUGenerator(seed), .noise = noise};
    const at::Tensor part = model->predict({x.slice(1, rows.begin, rows.end).contiguous()}, context).front();
    const std::lock_guard<std::mutex> lock(mutex);
    y.slice(1, rows.begin, rows.end).copy_(part);
  });
  return y;
}

// In deviations of each variable; what is missing must be so in both.
double worst(const at::Tensor& a, const at::Tensor& b) {
  CHECK(at::equal(a.isnan(), b.isnan()));
  const at::Tensor rows = b.reshape({-1, b.size(-1)}).to(at::kDouble);
  const at::Tensor known = rows.nan_to_num(0), deviation = known.std(0, false).clamp_min(1e-30);
  return ((a.reshape({-1, b.size(-1)}).to(at::kDouble).nan_to_num(0) - known).abs() / deviation).max().item<double>();
}

}  // namespace

TEST_CASE("a step of the reference, by any number of ranks") {
  const Case one = read_case();
  CHECK(one.y.isnan().any().item<bool>());  // where the latest input is missing
  for (const int world_size : {1, 2, 3, 4, 7}) {
    CAPTURE(world_size);
    CHECK(worst(predict(one.checkpoint.model, one.x, world_size), one.y) < 1e-4);
  }
}

TEST_CASE("other options, other noise and another seed give another result") {
  const Case one = read_case();
  const checkpoint::ModelDescription& model = one.checkpoint.model;
  const at::Tensor own = predict(model, one.x, 1);
  const sampling::Choice calm = {{}, {{"S_churn", {0.0}}}};
  CHECK(worst(predict(model, one.x, 1, {}, {}, 43), own) > 0.01);
  const at::Tensor without_churn = predict(model, one.x, 1, calm);
  CHECK(worst(without_churn, own) > 1e-3);
  // What the seed draws first, given in its place; what is added to it is then drawn first.
  const auto& dataset = model.datasets[0];
  const at::Tensor noise = at::randn({dataset.output_steps, dataset.nodes.count, dataset.output_variables},
                                     at::detail::createCPUGenerator(42), at::kFloat);
  checkpoint::ModelDescription plain = model;
  plain.transport->noise_scale = 0;
  const at::Tensor drawn = predict(plain, one.x, 1, calm);
  CHECK(at::equal(predict(plain, one.x, 1, calm, noise, 7).nan_to_num(0), drawn.nan_to_num(0)));
  CHECK_THROWS_AS(predict(plain, one.x, 1, calm, noise.narrow(1, 0, 5)), UserError);
  plain.transport->source = checkpoint::SourceField::zero;
  CHECK_THROWS_AS(predict(plain, one.x, 1, calm, noise), UserError);
  CHECK_THROWS_AS(predict(model, one.x, 1, {{}, {{"euler_final_step", {true}}}}), UserError);
}

TEST_CASE("a source of nothing but zeros needs no random numbers") {
  const Case one = read_case();
  checkpoint::ModelDescription model = one.checkpoint.model;
  model.transport->source = checkpoint::SourceField::zero;
  model.transport->noise_scale = 0;
  const sampling::Choice calm = {{}, {{"S_churn", {0.0}}}};
  const at::Tensor a = predict(model, one.x, 1, calm, {}, 1), b = predict(model, one.x, 1, calm, {}, 2);
  CHECK(at::equal(a.nan_to_num(0), b.nan_to_num(0)));
}

TEST_CASE("changes are added to the state that they refer to, and missing where it is") {
  checkpoint::DatasetDescription dataset;
  dataset.input_steps = dataset.output_steps = 2;
  dataset.input_variables = 3;
  dataset.output_variables = 3;  // the last is diagnostic
  dataset.prognostic_input = {2, 0};
  dataset.prognostic_output = {0, 1};
  const checkpoint::NormalizerDescription state{{2, 1, 4}, {1, 0, -1}, {4, 2, 5}, {-1, 1, 3}};
  dataset.preprocessors = {
      checkpoint::ImputerDescription{{{.input = 2, .output = 0, .mask = 2, .copied_from = {}, .value = 7}}}, state};
  dataset.postprocessors = {state, dataset.preprocessors[0]};
  dataset.tendency = {{{{10, 20, 5}, {1, 2, 3}}, {{40, 50, 5}, {4, 5, 3}}}};
  const preprocess::Preprocessing preprocessing(dataset);
  const nn::TendencyRows rows(dataset, preprocessing);
  const float missing = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor x =
      at::tensor({missing, 0.F, missing, 1.F, 2.F, 3.F, 4.F, 5.F, 6.F, 7.F, 8.F, missing}).view({2, 2, 3});
  const at::Tensor answer = at::arange(12, at::kFloat).view({2, 6});
  at::Tensor y = at::zeros({2, 2, 3});
  rows(answer.narrow(0, 0, 1), 0, x, {}, y);
  rows(answer.narrow(0, 1, 1), 1, x, {}, y);
  // (answer - add) / multiply; plus the latest input of the variable, 7 where it was missing; that is missing again
  const at::Tensor want = at::tensor({(0.F - 1) / 10 + 6, (1.F - 2) / 20 + 4, (2.F - 3) / 5,  //
                                      missing, (7.F - 2) / 20 + 7, (8.F - 3) / 5,             //
                                      (3.F - 4) / 40 + 6, (4.F - 5) / 50 + 4, (5.F - 3) / 5,  //
                                      missing, (10.F - 5) / 50 + 7, (11.F - 3) / 5})
                              .view({2, 2, 3});
  CHECK(at::allclose(y, want, 1e-6, 1e-6, true));
  // A reference of its own, normalised: of it the state's scale is taken off.
  const at::Tensor skip = at::tensor({3.F, 5.F, 0.F, 0.F}).view({2, 2});
  rows(answer.narrow(0, 0, 1), 0, x, skip, y);
  CHECK(y[0][0][0].item<float>() == doctest::Approx((0. - 1) / 10 + (3. + 1) / 4));
  CHECK(y[0][0][1].item<float>() == doctest::Approx((1. - 2) / 20 + (5. - 1) / 2));
}

TEST_CASE("the embedding of a level is an MLP of its waves") {
  Weights weights(41);
  const at::Tensor frequencies = at::tensor({0.5F, 1.5F, 3.F});
  for (const bool turns : {false, true}) {
    const checkpoint::LevelEmbeddingDescription description{
        weights.keep(frequencies), turns, {{weights.linear(9, 6), checkpoint::Activation::silu, weights.linear(4, 9)}}};
    nn::LevelEmbedding embedding(description, Precision::f32);
    nn::Workspace workspace(*testing::operations());
    const at::Tensor level = at::full({1, 1}, -0.7F);
    const at::Tensor angles = frequencies.to(at::kDouble).mul(turns ? -0.7 * 2 * M_PI : -0.7);
    const at::Tensor waves = at::cat({angles.sin(), angles.cos()}).view({1, 6});
    const at::Tensor expected = testing::naive_sequential(description.mlp, waves);
    CHECK((embedding(level, workspace) - expected).abs().max().item<double>() < 1e-5);
  }
}
