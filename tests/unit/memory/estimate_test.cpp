// The estimate of a rank's memory against what models of every family hold between two calls, over ranks that are
// threads of this process. Sizes are such that what is not counted (the allocator, the collectives) is small beside it.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "common/checkpoint/memory_estimate.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/channel/memory.h"
#include "worker/nn/model.h"

using namespace tradewind;
using checkpoint::DatasetDescription;
using checkpoint::ModelDescription;
using testing::Weights;

namespace {

constexpr std::int64_t data_rows = 30000, hidden_rows = 6000, variables = 40, channels = 192, heads = 6;
constexpr std::int64_t head_size = channels / heads, trainable = 4, steps = 2;
constexpr std::int64_t inputs = steps * variables + 4 + trainable, hidden_inputs = 4 + trainable;

// Nodes, columns and a normaliser; layers come after.
ModelDescription frame(Weights& weights) {
  ModelDescription model;
  DatasetDescription& dataset = model.datasets.emplace_back();
  model.latents = {0};
  dataset.name = "data";
  dataset.nodes = weights.nodes(data_rows, trainable);
  dataset.input_steps = steps;
  dataset.input_variables = dataset.output_variables = variables;
  const std::vector<float> one(variables, 1), zero(variables, 0);
  dataset.preprocessors = dataset.postprocessors = {checkpoint::NormalizerDescription{one, zero, one, zero}};
  model.levels.push_back(weights.nodes(hidden_rows, trainable));
  return model;
}

// Every destination has edges from sources near it, as grids have: a rank's halo stays small.
checkpoint::GraphDescription local_graph(Weights& weights, std::int64_t sources, std::int64_t destinations,
                                         std::int64_t per_destination) {
  checkpoint::GraphDescription graph =
      weights.graph(sources, destinations, destinations * per_destination, 3, trainable, false);
  const at::Tensor destination = at::arange(destinations).repeat_interleave(per_destination);
  const at::Tensor offset = at::arange(per_destination).repeat({destinations}) - per_destination / 2;
  const at::Tensor source = (destination * sources).floor_divide(destinations).add(offset).clamp(0, sources - 1);
  graph.edge_index = weights.keep(at::stack({source, destination}));
  return graph;
}

void set(ModelDescription& model, checkpoint::MapperDescription encoder, checkpoint::ProcessorDescription processor,
         checkpoint::MapperDescription decoder) {
  model.datasets[0].encoder = checkpoint::EncoderDescription{std::move(encoder)};
  model.datasets[0].decoder = checkpoint::DecoderDescription{.mapper = std::move(decoder)};
  model.trunk.emplace_back(checkpoint::ProcessStage{.processor = std::move(processor)});
}

checkpoint::ProcessorDescription transformer(Weights& weights, std::optional<std::int64_t> window) {
  checkpoint::TransformerProcessorDescription processor;
  for (int i = 0; i < 3; ++i) processor.blocks.push_back(weights.transformer_block(heads, head_size, window, false));
  return processor;
}

void graph_mappers(Weights& weights, ModelDescription& model, checkpoint::ProcessorDescription processor) {
  auto encoder = weights.mapper(local_graph(weights, data_rows, hidden_rows, 12), inputs, hidden_inputs, heads,
                                head_size, false, false, {});
  auto decoder = weights.mapper(local_graph(weights, hidden_rows, data_rows, 3), channels, inputs, heads, head_size,
                                false, false, variables);
  set(model, std::move(encoder), std::move(processor), std::move(decoder));
}

ModelDescription graph_transformer(Weights& weights, bool own_edges) {
  ModelDescription model = frame(weights);
  checkpoint::GraphTransformerProcessorDescription processor;
  processor.graph = local_graph(weights, hidden_rows, hidden_rows, 12);
  for (int i = 0; i < 3; ++i) {
    processor.blocks.push_back(weights.graph_block(channels, heads, head_size, 3 + trainable, false, own_edges, true));
  }
  graph_mappers(weights, model, std::move(processor));
  return model;
}

ModelDescription windowed(Weights& weights, std::optional<std::int64_t> window) {
  ModelDescription model = frame(weights);
  graph_mappers(weights, model, transformer(weights, window));
  return model;
}

ModelDescription message_passing(Weights& weights, std::optional<checkpoint::Activation> gate) {
  ModelDescription model = frame(weights);
  checkpoint::GraphConvProcessorDescription processor;
  processor.channels = channels;
  processor.graph = local_graph(weights, hidden_rows, hidden_rows, 12);
  processor.edge_embedding = weights.normed_mlp(channels, 3 + trainable, channels);
  for (int i = 0; i < 3; ++i) processor.blocks.push_back(weights.conv_block(channels, gate));
  auto encoder =
      weights.conv_mapper(local_graph(weights, data_rows, hidden_rows, 12), channels, inputs, hidden_inputs, {}, gate);
  auto decoder = weights.conv_mapper(local_graph(weights, hidden_rows, data_rows, 3), channels, channels, channels,
                                     variables, gate);
  set(model, std::move(encoder), std::move(processor), std::move(decoder));
  return model;
}

ModelDescription transformers(Weights& weights) {
  ModelDescription model = frame(weights);
  auto encoder = weights.transformer_mapper(inputs, hidden_inputs, channels, heads, head_size, 200, false, {});
  auto decoder = weights.transformer_mapper(channels, inputs, channels, heads, head_size, {}, false, variables);
  set(model, std::move(encoder), transformer(weights, 200), std::move(decoder));
  return model;
}

ModelDescription ensemble(Weights& weights) {
  ModelDescription model = windowed(weights, 300);
  auto& processor = std::get<checkpoint::TransformerProcessorDescription>(
      std::get<checkpoint::ProcessStage>(model.trunk.front()).processor);
  constexpr std::int64_t width = 16;
  for (auto& block : processor.blocks) {
    block.norm_attention = weights.conditional_norm(channels, width);
    block.norm_mlp = weights.conditional_norm(channels, width);
  }
  model.noise = checkpoint::NoiseDescription{
      .rows = hidden_rows, .channels = width, .mlp = weights.normed_mlp(width, width, 64), .injection = {}};
  return model;
}

// The same through a matrix, as noise of a coarser grid comes.
ModelDescription ensemble_with_matrix(Weights& weights) {
  ModelDescription model = ensemble(weights);
  constexpr std::int64_t columns = 1000, per_row = 40;
  model.noise->rows = columns;
  checkpoint::SparseDescriptor matrix;
  matrix.rows = hidden_rows;
  matrix.columns = columns;
  matrix.row_indices = weights.keep(at::arange(hidden_rows).repeat_interleave(per_row));
  matrix.column_indices = weights.keep(at::arange(hidden_rows * per_row).remainder(columns));
  matrix.values = weights.keep(at::ones({hidden_rows * per_row}));
  model.noise->projection = matrix;
  return model;
}

ModelDescription hierarchy(Weights& weights) {
  constexpr std::int64_t coarse_rows = 1500, wide = 2 * channels;
  const auto processor = [&](std::int64_t rows, std::int64_t width) {
    checkpoint::GraphTransformerProcessorDescription out;
    out.graph = local_graph(weights, rows, rows, 12);
    out.blocks.push_back(weights.graph_block(width, width / head_size, head_size, 3 + trainable, false, false, true));
    return out;
  };
  ModelDescription model = frame(weights);
  graph_mappers(weights, model, processor(hidden_rows, channels));
  model.levels.push_back(weights.nodes(coarse_rows, trainable));
  model.trunk.emplace_back(
      checkpoint::DownStage{0, weights.mapper(local_graph(weights, hidden_rows, coarse_rows, 12), channels,
                                              hidden_inputs, wide / head_size, head_size, false, false, {})});
  model.trunk.emplace_back(checkpoint::ProcessStage{1, processor(coarse_rows, wide), true});
  model.trunk.emplace_back(
      checkpoint::UpStage{0, weights.mapper(local_graph(weights, coarse_rows, hidden_rows, 3), wide, channels,
                                            wide / head_size, head_size, false, false, channels)});
  model.trunk.emplace_back(checkpoint::ProcessStage{0, processor(hidden_rows, channels)});
  return model;
}

// Every norm takes the level's condition; the encoder reads what a sampler has, too.
ModelDescription transport(Weights& weights) {
  ModelDescription model = frame(weights);
  constexpr std::int64_t width = 16;
  DatasetDescription& dataset = model.datasets[0];
  dataset.input_features = {checkpoint::InputFeature::variables, checkpoint::InputFeature::target,
                            checkpoint::InputFeature::node_attributes};
  dataset.residual = checkpoint::NoResidualDescription{};
  const auto conditioned = [&](checkpoint::GraphTransformerBlockDescription& block) {
    if (block.norm_source) block.norm_source = weights.conditional_norm(channels, width);
    block.norm_destination = weights.conditional_norm(channels, width);
    block.norm_mlp = weights.conditional_norm(channels, width);
  };
  checkpoint::GraphTransformerProcessorDescription processor;
  processor.graph = local_graph(weights, hidden_rows, hidden_rows, 12);
  for (int i = 0; i < 3; ++i) {
    processor.blocks.push_back(weights.graph_block(channels, heads, head_size, 3 + trainable, false, false, true));
    conditioned(processor.blocks.back());
  }
  auto encoder = weights.mapper(local_graph(weights, data_rows, hidden_rows, 12), inputs + variables, hidden_inputs,
                                heads, head_size, false, false, {});
  auto decoder = weights.mapper(local_graph(weights, hidden_rows, data_rows, 3), channels, inputs + variables, heads,
                                head_size, false, false, variables);
  conditioned(encoder.block);
  conditioned(decoder.block);
  set(model, std::move(encoder), std::move(processor), std::move(decoder));
  checkpoint::TransportDescription& sampled = model.transport.emplace();
  sampled.channels = width;
  sampled.embedding = {weights.keep(at::arange(8, at::kFloat)),
                       false,
                       {{weights.linear(16, 16), checkpoint::Activation::silu, weights.linear(width, 16)}}};
  sampled.defaults = {{{"schedule_type", {std::string("karras")}},
                       {"num_steps", {std::int64_t{2}}},
                       {"sigma_max", {10.0}},
                       {"sigma_min", {0.1}}},
                      {{"sampler", {std::string("heun")}}}};
  return model;
}

// Bytes that all ranks hold together after two calls, beside input and output.
std::int64_t held(const ModelDescription& model, int ranks, Precision precision) {
  channel::give_back_small_blocks();
  std::int64_t before = 0, after = 0;
  testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
    at::Tensor barrier = at::zeros({1});
    communicator.all_reduce_sum(barrier, "before");
    if (communicator.rank() == 0) before = channel::anonymous_bytes();
    communicator.all_reduce_sum(barrier, "begin");
    nn::ModelOptions options;
    options.precision = precision;
    const auto loaded = nn::make_model(model, options, communicator);
    for (int call = 0; call < 2; ++call) {
      const at::Tensor x = at::zeros({steps, loaded->rows().size(), variables});
      (void)loaded->predict({x}, {.call = call, .random = at::detail::createCPUGenerator(1)});
    }
    communicator.all_reduce_sum(barrier, "after");
    if (communicator.rank() == 0) {
      channel::give_back_small_blocks();
      after = channel::anonymous_bytes();
    }
    communicator.all_reduce_sum(barrier, "end");
  });
  return after - before;
}

struct Family {
  const char* name;
  std::function<ModelDescription(Weights&)> make;
};

}  // namespace

TEST_CASE("what a model holds between two calls is what was estimated, within 15 %") {
  channel::give_back_large_blocks();
  at::set_num_threads(2);
  const Family families[] = {
      {"a windowed transformer", [](Weights& weights) { return windowed(weights, 300); }},
      {"a transformer that sees all", [](Weights& weights) { return windowed(weights, {}); }},
      {"a graph transformer", [](Weights& weights) { return graph_transformer(weights, false); }},
      {"a graph transformer with MLPs of edges", [](Weights& weights) { return graph_transformer(weights, true); }},
      {"message passing", [](Weights& weights) { return message_passing(weights, {}); }},
      {"gated message passing",
       [](Weights& weights) { return message_passing(weights, checkpoint::Activation::sigmoid); }},
      {"an ensemble", [](Weights& weights) { return ensemble(weights); }},
      {"an ensemble with a matrix", [](Weights& weights) { return ensemble_with_matrix(weights); }},
      {"two levels", [](Weights& weights) { return hierarchy(weights); }},
      {"a transport model", [](Weights& weights) { return transport(weights); }},
      {"transformer mappers", [](Weights& weights) { return transformers(weights); }}};
  for (const Family& family : families) {
    Weights weights(1);
    const ModelDescription model = family.make(weights);
    for (const Precision precision : {Precision::f32, Precision::f16}) {
      for (const int ranks : {1, 2, 4}) {
        const checkpoint::MemoryEstimate one = estimate_memory(model, {ranks, precision, 2});
        const double expected = static_cast<double>(ranks * (one.kept() - one.state));
        const auto measured = static_cast<double>(held(model, ranks, precision));
        const std::string what = std::string(family.name) + ", " + std::to_string(8 * bytes_of(precision)) + " bit, " +
                                 std::to_string(ranks) + " ranks: estimated " + std::to_string(expected / 1e6) +
                                 " MB, held " + std::to_string(measured / 1e6) + " MB";
        MESSAGE(what, ", ratio ", expected / measured);
        CHECK_MESSAGE(expected > 0.85 * measured, what);
        CHECK_MESSAGE(expected < 1.15 * measured, what);
      }
    }
  }
}
