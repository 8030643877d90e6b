// A trunk over several levels of hidden nodes against its formula, on one rank and on several.
#include "worker/nn/trunk.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <vector>

#include "common/errors.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/graph/edges.h"

using namespace tradewind;
using namespace tradewind::checkpoint;
using tradewind::testing::assemble;
using tradewind::testing::Weights;
using tradewind::testing::worst;

namespace {

constexpr std::int64_t nodes[] = {61, 23, 5}, channels[] = {16, 32, 48};
constexpr std::int64_t attributes = 3, trainable = 2, head_size = 8;

std::int64_t heads_of(std::size_t level) { return channels[level] / head_size; }

GraphTransformerProcessorDescription processor(Weights& weights, std::size_t level) {
  GraphTransformerProcessorDescription out;
  out.graph = weights.graph(nodes[level], nodes[level], 4 * nodes[level], attributes, 0, false);
  out.blocks.push_back(
      weights.graph_block(channels[level], heads_of(level), head_size, attributes, false, false, true));
  return out;
}

ModelDescription hierarchy(Weights& weights) {
  ModelDescription model;
  for (const std::int64_t count : nodes) model.levels.push_back(weights.nodes(count, trainable));
  for (std::size_t level = 0; level < 2; ++level) {
    if (level == 0) model.trunk.emplace_back(ProcessStage{level, processor(weights, level)});
    const auto graph = weights.graph(nodes[level], nodes[level + 1], 5 * nodes[level + 1], attributes, 0, false);
    model.trunk.emplace_back(DownStage{level, weights.mapper(graph, channels[level], 4 + trainable, heads_of(level + 1),
                                                             head_size, false, false, {})});
  }
  model.trunk.emplace_back(ProcessStage{2, processor(weights, 2), true});
  for (std::size_t level = 2; level-- > 0;) {
    const auto graph = weights.graph(nodes[level + 1], nodes[level], 3 * nodes[level], attributes, 0, false);
    model.trunk.emplace_back(
        UpStage{level, weights.mapper(graph, channels[level + 1], channels[level], heads_of(level + 1), head_size,
                                      false, false, channels[level])});
    model.trunk.emplace_back(ProcessStage{level, processor(weights, level)});
  }
  return model;
}

at::Tensor node_values(const ModelDescription& model, std::size_t level) {
  return graph::node_attributes(model.levels[level], {0, nodes[level]});
}

// The formula, with every row at hand.
at::Tensor naive(const ModelDescription& model, const at::Tensor& start) {
  at::Tensor x = start.to(at::kDouble);
  std::vector<at::Tensor> kept(3);
  for (const StageDescription& stage : model.trunk) {
    if (const auto* process = std::get_if<ProcessStage>(&stage)) {
      const at::Tensor made =
          testing::naive_graph_transformer(std::get<GraphTransformerProcessorDescription>(process->processor), x);
      x = process->skip ? made + x : made;
    }
    if (const auto* down = std::get_if<DownStage>(&stage)) {
      kept[down->level] = x;
      x = testing::naive_mapper(std::get<GraphTransformerMapperDescription>(down->mapper), x,
                                node_values(model, down->level + 1).to(at::kDouble));
    }
    if (const auto* up = std::get_if<UpStage>(&stage)) {
      const at::Tensor& to = kept[up->level];
      x = testing::naive_mapper(std::get<GraphTransformerMapperDescription>(up->mapper), x, to) + to;
    }
  }
  return x;
}

at::Tensor run(const ModelDescription& model, const at::Tensor& x, int world_size) {
  return assemble(world_size, nodes[0], channels[0], [&](dist::Communicator& communicator) {
    nn::Workspace workspace(*testing::operations());
    std::vector<dist::Shards> levels;
    for (const NodeDescription& level : model.levels) levels.emplace_back(level.count, world_size);
    nn::Trunk trunk(model, {Precision::f32, levels, communicator, 1, 1, workspace});
    const auto own = [&](std::size_t level) { return levels[level].range(communicator.rank()); };
    std::vector<at::Tensor> values;
    for (std::size_t level = 0; level < model.levels.size(); ++level) {
      values.push_back(graph::node_attributes(model.levels[level], own(level)));
    }
    trunk.fix(values, workspace);
    const at::Tensor mine = x.slice(0, own(0).begin, own(0).end);
    const at::Tensor once = trunk(mine.clone(), nullptr, communicator, workspace);
    CHECK(trunk(mine.clone(), nullptr, communicator, workspace).equal(once));
    return once;
  });
}

}  // namespace

TEST_CASE("levels down and up, with processors on each, whatever the number of ranks") {
  Weights weights(41);
  const ModelDescription model = hierarchy(weights);
  const at::Tensor x = at::randn({nodes[0], channels[0]});
  const at::Tensor expected = naive(model, x);
  for (const int world_size : testing::world_sizes) {
    CAPTURE(world_size);
    CHECK(worst(run(model, x, world_size), expected) < 1e-4);
  }
}

TEST_CASE("the way up starts from what the way down has made of its sources") {
  Weights weights(43);
  ModelDescription model;
  for (const std::int64_t count : {nodes[0], nodes[1]}) model.levels.push_back(weights.nodes(count, trainable));
  const auto down = weights.conv_mapper(weights.graph(nodes[0], nodes[1], 5 * nodes[1], attributes, 0, false),
                                        channels[1], channels[0], 4 + trainable, {});
  const auto up = weights.conv_mapper(weights.graph(nodes[1], nodes[0], 3 * nodes[0], attributes, 0, false),
                                      channels[1], channels[1], channels[1], channels[0]);
  model.trunk = {DownStage{0, down}, UpStage{0, up}};
  const at::Tensor x = at::randn({nodes[0], channels[0]}), wide = x.to(at::kDouble);
  const at::Tensor coarse = testing::naive_conv_mapper(down, wide, node_values(model, 1).to(at::kDouble));
  const at::Tensor expected = testing::naive_conv_mapper(up, coarse, testing::naive_updated_sources(down, wide)) + wide;
  for (const int world_size : testing::world_sizes) {
    CAPTURE(world_size);
    CHECK(worst(run(model, x, world_size), expected) < 1e-4);
  }
}

TEST_CASE("a trunk whose stages do not lead to each other is a fault of ours") {
  Weights weights(42);
  ModelDescription model = hierarchy(weights);
  model.trunk.pop_back();
  model.trunk.pop_back();  // the way up to level 0
  assemble(1, 1, 1, [&](dist::Communicator& communicator) {
    nn::Workspace workspace(*testing::operations());
    const std::vector<dist::Shards> levels = {{nodes[0], 1}, {nodes[1], 1}, {nodes[2], 1}};
    const nn::TrunkContext context{Precision::f32, levels, communicator, 1, 1, workspace};
    CHECK_THROWS_AS(nn::Trunk(model, context), InternalFault);
    std::swap(model.trunk.front(), model.trunk.back());
    CHECK_THROWS_AS(nn::Trunk(model, context), InternalFault);
    return at::zeros({1, 1});
  });
}
