// What ensembles have beside other models: norms with a condition, noise, further columns of the encoder's rows; on one
// rank and sharded, against their formulas.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/errors.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/nn/conditional_norm.h"
#include "worker/nn/input_rows.h"
#include "worker/nn/noise.h"

using namespace tradewind;
using checkpoint::InputFeature;
using testing::assemble;
using testing::run_processor;
using testing::Weights;
using testing::world_sizes;
using testing::worst;

namespace {

constexpr std::int64_t channels = 32, width = 5;

checkpoint::NoiseDescription noise_of(Weights& weights, std::int64_t rows) {
  checkpoint::NoiseDescription noise;
  noise.rows = rows;
  noise.channels = width;
  noise.deviation = 0.7;
  noise.mlp = {{weights.linear(9, width), checkpoint::Activation::gelu, weights.linear(width, 9), weights.norm(width)}};
  return noise;
}

nn::StepContext seeded(std::uint64_t seed) {
  nn::StepContext context;
  context.random = at::detail::createCPUGenerator(seed);
  return context;
}

// Of all rows, by so many ranks.
at::Tensor noise_over(const checkpoint::NoiseDescription& description, const nn::StepContext& context, int world_size) {
  const std::int64_t rows = description.projection ? description.projection->rows : description.rows;
  return assemble(world_size, rows, description.channels, [&](dist::Communicator& communicator) {
    nn::StepContext own = context;  // every rank has a generator of its own in the same state
    if (own.random.defined()) own.random = context.random.clone();
    nn::Workspace workspace(*testing::operations());
    const dist::Shards shards(rows, world_size);
    const nn::Noise noise(description, Precision::f32, shards.range(communicator.rank()));
    return noise(own, communicator, workspace);
  });
}

}  // namespace

TEST_CASE("a conditional norm scales and shifts each row by its own condition") {
  Weights weights(21);
  const auto description = weights.conditional_norm(channels, width);
  const nn::ConditionalNorm norm(description, Precision::f32);
  nn::Workspace workspace(*testing::operations());
  const at::Tensor x = at::randn({11, channels}), condition = at::randn({11, width});
  const at::Tensor whole = at::empty_like(x), in_place = x.narrow(0, 4, 3).clone();
  const nn::TensorRows rows(condition, workspace.operations());
  norm(x, 0, &rows, whole, workspace);
  norm(in_place, 4, &rows, in_place, workspace);
  const auto values = [](const checkpoint::LinearDescription& layer, const at::Tensor& c) {
    return testing::naive_sequential({{layer}}, c.to(at::kDouble));
  };
  const at::Tensor plain = at::layer_norm(x.to(at::kDouble), {channels}, {}, {}, 1e-5);
  const at::Tensor expected =
      plain * (values(description.condition->scale, condition) + 1) + values(description.condition->shift, condition);
  CHECK(worst(whole, expected) < 2e-6);
  CHECK(worst(in_place, expected.narrow(0, 4, 3)) < 2e-6);
  // A condition where there is to be none, and the other way round, is a mistake of the program.
  CHECK_THROWS_AS(norm(x, 0, nullptr, whole, workspace), InternalFault);
  const nn::ConditionalNorm without(weights.norm(channels), Precision::f32);
  CHECK_THROWS_AS(without(x, 0, &rows, whole, workspace), InternalFault);
}

TEST_CASE("a transformer whose norms are conditioned: by window and by heads") {
  Weights weights(22);
  checkpoint::TransformerProcessorDescription description;
  description.blocks = {weights.transformer_block(4, 8, 3, false), weights.transformer_block(4, 8, 20, true),
                        weights.transformer_block(4, 8, {}, false)};
  for (auto& block : description.blocks) {
    block.norm_attention = weights.conditional_norm(channels, width);
    block.norm_mlp = weights.conditional_norm(channels, width);
  }
  const at::Tensor x = at::randn({53, channels}), condition = at::randn({53, width});
  const at::Tensor expected = testing::naive_transformer(description, x, condition);
  CHECK(worst(testing::naive_transformer(description, x, at::zeros_like(condition)), expected) > 0.1);
  for (const int world_size : world_sizes) {
    for (const std::int64_t chunks : {1, 6}) {
      CAPTURE(world_size);
      CAPTURE(chunks);
      CHECK(worst(run_processor(description, x, world_size, chunks, 1 << 20, condition), expected) < 2e-5);
    }
  }
}

TEST_CASE("a graph transformer whose norms are conditioned, the halo's rows too") {
  Weights weights(23);
  checkpoint::GraphTransformerProcessorDescription description;
  description.graph = weights.graph(47, 47, 190, 3, 2, true);
  description.blocks = {weights.graph_block(channels, 4, 8, 5, false, false, true),
                        weights.graph_block(channels, 2, 16, 5, true, true, true)};
  for (auto& block : description.blocks) {
    block.norm_destination = weights.conditional_norm(channels, width);
    block.norm_mlp = weights.conditional_norm(channels, width);
  }
  const at::Tensor x = at::randn({47, channels}), condition = at::randn({47, width});
  const at::Tensor expected = testing::naive_graph_transformer(description, x, condition);
  CHECK(worst(testing::naive_graph_transformer(description, x, at::zeros_like(condition)), expected) > 0.1);
  for (const int world_size : world_sizes) {
    for (const std::int64_t chunks : {1, 6}) {
      CAPTURE(world_size);
      CAPTURE(chunks);
      CHECK(worst(run_processor(description, x, world_size, chunks, 1 << 20, condition), expected) < 2e-5);
    }
  }
}

TEST_CASE("noise is the seed's numbers, the same for every number of ranks") {
  Weights weights(24);
  const auto description = noise_of(weights, 53);
  const at::Tensor drawn = at::randn({1, 1, 53, width}, at::detail::createCPUGenerator(42), at::kFloat)[0][0];
  const at::Tensor expected = testing::naive_sequential(description.mlp, (drawn * 0.7).to(at::kDouble));
  const at::Tensor one = noise_over(description, seeded(42), 1);
  CHECK(worst(one, expected) < 2e-6);
  CHECK(worst(noise_over(description, seeded(43), 1), expected) > 0.1);
  for (const int world_size : world_sizes)
    CHECK(worst(noise_over(description, seeded(42), world_size), expected) < 2e-6);
  nn::StepContext given;
  given.noise = drawn;
  CHECK(at::equal(noise_over(description, given, 1), one));
  auto still = description;
  still.deviation = 0;
  CHECK(at::equal(noise_over(still, seeded(1), 1), noise_over(still, seeded(2), 1)));
}

TEST_CASE("noise through a matrix, of which every rank multiplies its own rows") {
  Weights weights(29);
  auto description = noise_of(weights, 53);
  const at::Tensor row = at::randint(52, {200}, at::kLong), column = at::randint(17, {200}, at::kLong);
  const at::Tensor values = at::randn({200});
  checkpoint::SparseDescriptor matrix;
  matrix.rows = 53;
  matrix.columns = 17;
  matrix.row_indices = weights.keep(row);
  matrix.column_indices = weights.keep(column);
  matrix.values = weights.keep(values);
  description.rows = 17;
  description.projection = matrix;
  const at::Tensor dense = at::zeros({53, 17}, at::kDouble).index_put_({row, column}, values.to(at::kDouble), true);
  const at::Tensor drawn = at::randn({17, width}, at::detail::createCPUGenerator(42), at::kFloat);
  const at::Tensor expected =
      testing::naive_sequential(description.mlp, at::matmul(dense, (drawn * 0.7).to(at::kDouble)));
  for (const int world_size : world_sizes) {
    CAPTURE(world_size);
    CHECK(worst(noise_over(description, seeded(42), world_size), expected) < 5e-6);
  }
}

TEST_CASE("every call takes the next numbers, and noise of another shape is refused") {
  Weights weights(25);
  const auto description = noise_of(weights, 20);
  const nn::Noise noise(description, Precision::f32, {0, 20});
  const auto alone = dist::make_single_communicator();
  nn::Workspace workspace(*testing::operations());
  nn::StepContext context = seeded(5);
  const at::Tensor first = noise(context, *alone, workspace), second = noise(context, *alone, workspace);
  CHECK_FALSE(at::equal(first, second));
  const at::Generator again = at::detail::createCPUGenerator(5);
  (void)at::randn({20, width}, again, at::kFloat);
  context.random = again;
  CHECK(at::equal(noise(context, *alone, workspace), second));
  context.noise = at::zeros({20, width + 1});
  CHECK_THROWS_AS(noise(context, *alone, workspace), UserError);
  CHECK_THROWS_AS(noise(nn::StepContext{}, *alone, workspace), InternalFault);
}

TEST_CASE("noise that is mixed into the rows") {
  Weights weights(26);
  auto description = noise_of(weights, 30);
  description.injection = weights.linear(channels, channels + width);
  const nn::Noise noise(description, Precision::f32, {0, 30});
  const auto alone = dist::make_single_communicator();
  nn::Workspace workspace(*testing::operations());
  REQUIRE(noise.injects());
  const at::Tensor x = at::randn({30, channels}), drawn = noise(seeded(6), *alone, workspace);
  const at::Tensor expected =
      testing::naive_sequential({{*description.injection}}, at::cat({x, drawn}, 1).to(at::kDouble));
  const at::Tensor mixed = x.clone();
  noise.inject(drawn, mixed, workspace);
  CHECK(worst(mixed, expected) < 2e-6);
}

namespace {

// A dataset of three variables at two times, with trainable nodes; an imputer makes its preprocessing more than a
// scale.
checkpoint::DatasetDescription dataset_of(Weights& weights, std::vector<InputFeature> features, bool imputed) {
  checkpoint::DatasetDescription dataset;
  dataset.nodes = weights.nodes(13, 2);
  dataset.input_steps = 2;
  dataset.input_variables = 3;
  dataset.output_variables = 2;
  dataset.prognostic_input = {2, 0};
  dataset.prognostic_output = {0, 1};
  dataset.input_features = std::move(features);
  const checkpoint::NormalizerDescription normalizer{{2, 3, 4}, {1, 0, -1}, {2, 3}, {1, 0}};
  if (imputed) dataset.preprocessors.emplace_back(checkpoint::ImputerDescription{{{1, {}, 1, {}, 9}}, false});
  dataset.preprocessors.emplace_back(normalizer);
  dataset.postprocessors.emplace_back(normalizer);
  if (imputed) dataset.postprocessors.emplace_back(checkpoint::ImputerDescription{{{1, {}, 1, {}, 9}}, false});
  return dataset;
}

}  // namespace

TEST_CASE("rows of the encoder in the order of every generation") {
  const std::vector<std::vector<InputFeature>> orders = {
      {InputFeature::variables, InputFeature::node_attributes},
      {InputFeature::variables, InputFeature::residual, InputFeature::node_attributes, InputFeature::forecast_step},
      {InputFeature::variables, InputFeature::node_attributes, InputFeature::forecast_step, InputFeature::residual}};
  const at::Tensor scale = at::tensor({2.0F, 3.0F, 4.0F}), shift = at::tensor({1.0F, 0.0F, -1.0F});
  nn::Workspace workspace(*testing::operations());
  for (const bool imputed : {false, true}) {
    for (const auto& order : orders) {
      Weights weights(27);
      const checkpoint::DatasetDescription dataset = dataset_of(weights, order, imputed);
      const at::Tensor x = at::randn({2, 13, 3}), attributes = at::randn({13, 6});
      if (imputed) x.select(2, 1).slice(1, 3, 6).fill_(NAN);
      const at::Tensor filled = imputed ? at::nan_to_num(x, 9.0) : x, scaled = filled * scale + shift;
      std::vector<at::Tensor> parts;
      for (const InputFeature feature : order) {
        if (feature == InputFeature::variables) parts.insert(parts.end(), {scaled[0], scaled[1]});
        if (feature == InputFeature::node_attributes) parts.push_back(attributes);
        if (feature == InputFeature::forecast_step) parts.push_back(at::ones({13, 1}));
        if (feature == InputFeature::residual)
          parts.push_back(scaled[1].index_select(1, at::tensor({2, 0}, at::kLong)));
      }
      const at::Tensor expected = at::cat(parts, 1);
      const nn::InputLayout layout(dataset);
      const preprocess::Preprocessing preprocessing(dataset);
      const nn::InputRows rows(layout, x, attributes, preprocessing, 1, {}, workspace.operations());
      REQUIRE(rows.columns() == expected.size(1));
      const at::Tensor some = at::full({4, rows.columns()}, NAN), picked = at::full({3, rows.columns()}, NAN);
      rows.range(2, 6, some);
      CHECK(at::allclose(some, expected.slice(0, 2, 6), 1e-6, 1e-6));
      const at::Tensor which = at::tensor({12, 0, 4}, at::kLong);
      rows.rows(which, picked);
      CHECK(at::allclose(picked, expected.index_select(0, which), 1e-6, 1e-6));
    }
  }
}

TEST_CASE("an encoder that reads a truncated residual is given it") {
  Weights weights(30);
  checkpoint::DatasetDescription dataset =
      dataset_of(weights, {InputFeature::variables, InputFeature::residual, InputFeature::node_attributes}, false);
  dataset.residual = checkpoint::TruncatedResidualDescription{};
  const at::Tensor x = at::randn({2, 13, 3}), attributes = at::randn({13, 6}), skip = at::randn({13, 2});
  const nn::InputLayout layout(dataset);
  const preprocess::Preprocessing preprocessing(dataset);
  nn::Workspace workspace(*testing::operations());
  const nn::InputRows rows(layout, x, attributes, preprocessing, 0, skip, workspace.operations());
  const at::Tensor out = at::full({5, rows.columns()}, NAN), picked = at::full({2, rows.columns()}, NAN);
  rows.range(3, 8, out);
  CHECK(at::equal(out.slice(1, 6, 8), skip.slice(0, 3, 8)));
  CHECK(at::equal(out.slice(1, 8), attributes.slice(0, 3, 8)));
  rows.rows(at::tensor({12, 1}, at::kLong), picked);
  CHECK(at::equal(picked.slice(1, 6, 8), skip.index_select(0, at::tensor({12, 1}, at::kLong))));
}

TEST_CASE("an encoder that reads a residual which there is none of is refused") {
  Weights weights(28);
  checkpoint::DatasetDescription dataset =
      dataset_of(weights, {InputFeature::variables, InputFeature::residual}, false);
  dataset.residual = checkpoint::NoResidualDescription{};
  CHECK_THROWS_AS(nn::InputLayout{dataset}, UserError);
}
