// Models of several datasets against their definition: each encoder on its own rows, latents brought together, the
// trunk, each decoder from the rows that its features make; on one rank and on several, grids of uneven sizes.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/graph/edges.h"
#include "worker/nn/model.h"

using namespace tradewind;
using checkpoint::DatasetDescription;
using checkpoint::LatentAggregation;
using checkpoint::ModelDescription;
using checkpoint::TargetFeature;
using testing::Weights;

namespace {

constexpr std::int64_t hidden_rows = 19, trainable = 2, steps = 2, head_size = 4;

at::Tensor attributes(const checkpoint::NodeDescription& nodes) {
  return graph::node_attributes(nodes, {0, nodes.count});
}

DatasetDescription dataset(Weights& weights, const std::string& name, std::int64_t rows, std::int64_t variables) {
  DatasetDescription out;
  out.name = name;
  out.nodes = weights.nodes(rows, trainable);
  out.input_steps = steps;
  out.input_variables = out.output_variables = variables;
  out.residual = checkpoint::NoResidualDescription{};
  out.prognostic_input = {0, 2};
  out.prognostic_output = {0, 1};
  return out;
}

std::int64_t width_of(const DatasetDescription& one) { return steps * one.input_variables + 4 + trainable; }

void add_encoder(Weights& weights, DatasetDescription& one, std::int64_t heads) {
  const auto graph = weights.graph(one.nodes.count, hidden_rows, 90, 3, trainable, false);
  one.encoder = checkpoint::EncoderDescription{
      weights.mapper(graph, width_of(one), 4 + trainable, heads, head_size, false, false, {})};
}

void add_decoder(Weights& weights, DatasetDescription& one, std::int64_t latent, std::int64_t destinations) {
  const auto graph = weights.graph(hidden_rows, one.nodes.count, 3 * one.nodes.count, 3, trainable, false);
  one.decoder = checkpoint::DecoderDescription{
      .mapper = weights.mapper(graph, latent, destinations, 2, head_size, false, false, one.output_variables)};
}

// "read" has an encoder alone, "written" a decoder alone; the latents come together in another order than the datasets
// stand in.
ModelDescription several(Weights& weights, LatentAggregation aggregation, bool own_hidden) {
  const bool beside = aggregation == LatentAggregation::concatenation;
  const std::int64_t latent = beside ? (2 + 1 + 2) * head_size : 2 * head_size;
  ModelDescription model;
  model.levels.push_back(weights.nodes(hidden_rows, trainable));
  model.datasets = {dataset(weights, "first", 31, 4), dataset(weights, "read", 17, 3),
                    dataset(weights, "written", 23, 3), dataset(weights, "last", 9, 5)};
  add_encoder(weights, model.datasets[0], 2);
  add_encoder(weights, model.datasets[1], beside ? 1 : 2);
  add_encoder(weights, model.datasets[3], 2);
  if (own_hidden) model.datasets[3].encoder->hidden = weights.nodes(hidden_rows, trainable);
  add_decoder(weights, model.datasets[0], latent, width_of(model.datasets[0]));
  add_decoder(weights, model.datasets[2], latent, 4 + steps * 2);
  add_decoder(weights, model.datasets[3], latent, width_of(model.datasets[3]));
  model.datasets[0].residual = checkpoint::SkipResidualDescription{-1};
  model.datasets[2].decoder->target_features = {TargetFeature::coordinates, TargetFeature::prognostics};
  model.aggregation = aggregation;
  model.latents = {3, 0, 1};
  checkpoint::TransformerProcessorDescription processor;
  processor.blocks.push_back(weights.transformer_block(latent / head_size, head_size, 5, false));
  model.trunk.emplace_back(checkpoint::ProcessStage{.processor = std::move(processor)});
  return model;
}

const checkpoint::GraphTransformerMapperDescription& mapper(const checkpoint::MapperDescription& mapper) {
  return std::get<checkpoint::GraphTransformerMapperDescription>(mapper);
}

// The rows that an encoder reads.
at::Tensor input_rows(const DatasetDescription& one, const at::Tensor& x) {
  return at::cat({x[0], x[1], attributes(one.nodes)}, 1).to(at::kDouble);
}

std::vector<at::Tensor> naive(const ModelDescription& model, const std::vector<at::Tensor>& x) {
  std::vector<at::Tensor> latents;
  for (const std::size_t i : model.latents) {
    const DatasetDescription& one = model.datasets[i];
    const auto& hidden = one.encoder->hidden ? *one.encoder->hidden : model.levels[0];
    latents.push_back(testing::naive_mapper(mapper(one.encoder->mapper), input_rows(one, x[i]), attributes(hidden)));
  }
  at::Tensor latent =
      model.aggregation == LatentAggregation::concatenation ? at::cat(latents, 1) : at::stack(latents).sum(0);
  if (model.aggregation == LatentAggregation::mean) latent = latent / 3;
  const auto& stage = std::get<checkpoint::ProcessStage>(model.trunk[0]);
  const at::Tensor processed =
      testing::naive_transformer(std::get<checkpoint::TransformerProcessorDescription>(stage.processor), latent) +
      latent;
  std::vector<at::Tensor> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const DatasetDescription& one = model.datasets[i];
    if (!one.decoder) {
      y.emplace_back();
      continue;
    }
    at::Tensor targets = input_rows(one, x[i]);
    if (!one.encoder)
      targets = at::cat(
          {attributes(one.nodes).slice(1, 0, 4), x[i][0].select(1, 0).unsqueeze(1), x[i][0].select(1, 2).unsqueeze(1),
           x[i][1].select(1, 0).unsqueeze(1), x[i][1].select(1, 2).unsqueeze(1)},
          1);
    at::Tensor out = testing::naive_mapper(mapper(one.decoder->mapper), processed, targets);
    if (std::holds_alternative<checkpoint::SkipResidualDescription>(one.residual)) {
      out.select(1, 0).add_(x[i][1].select(1, 0));
      out.select(1, 1).add_(x[i][1].select(1, 2));
    }
    y.push_back(out);
  }
  return y;
}

// Put together from all ranks; undefined where nothing is made.
std::vector<at::Tensor> run(const ModelDescription& model, const std::vector<at::Tensor>& x, int world_size) {
  std::vector<at::Tensor> whole;
  for (const DatasetDescription& one : model.datasets)
    whole.push_back(one.decoder ? at::full({one.nodes.count, one.output_variables}, NAN, at::kFloat) : at::Tensor());
  std::mutex mutex;
  testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
    const auto built = nn::make_model(model, {.operations = testing::operations()}, communicator);
    std::vector<at::Tensor> own;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const dist::RowRange rows = built->rows(i);
      own.push_back(x[i].slice(1, rows.begin, rows.end).contiguous());
    }
    const std::vector<at::Tensor> y = built->predict(own, {});
    const std::lock_guard<std::mutex> lock(mutex);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(y[i].defined() == whole[i].defined());
      if (y[i].defined()) whole[i].slice(0, built->rows(i).begin, built->rows(i).end).copy_(y[i][0]);
    }
  });
  return whole;
}

}  // namespace

TEST_CASE("latents of several datasets are added, averaged, or put beside each other in their order") {
  for (const auto aggregation : {LatentAggregation::sum, LatentAggregation::mean, LatentAggregation::concatenation}) {
    CAPTURE(static_cast<int>(aggregation));
    Weights weights(71);
    const ModelDescription model = several(weights, aggregation, aggregation == LatentAggregation::sum);
    std::vector<at::Tensor> x;
    for (const DatasetDescription& one : model.datasets)
      x.push_back(at::randn({steps, one.nodes.count, one.input_variables}));
    const std::vector<at::Tensor> expected = naive(model, x);
    for (const int world_size : testing::world_sizes) {
      CAPTURE(world_size);
      const std::vector<at::Tensor> y = run(model, x, world_size);
      for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}})
        CHECK(testing::worst(y[i], expected[i]) < 2e-5);
      CHECK_FALSE(y[1].defined());
    }
  }
}

TEST_CASE("the order of latents counts where they stand beside each other") {
  Weights weights(72);
  ModelDescription model = several(weights, LatentAggregation::concatenation, false);
  std::vector<at::Tensor> x;
  for (const DatasetDescription& one : model.datasets)
    x.push_back(at::randn({steps, one.nodes.count, one.input_variables}));
  const at::Tensor before = run(model, x, 1)[0];
  std::swap(model.latents[0], model.latents[1]);
  CHECK(testing::worst(run(model, x, 1)[0], before.to(at::kDouble)) > 1e-2);
}
