// A condition that is the same for all rows, such as the level of a transport model's noise: norms, mappers and
// processors, on one rank and sharded, against their formulas.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/nn/conditional_norm.h"
#include "worker/nn/row_source.h"

using namespace tradewind;
using testing::run_mapper;
using testing::run_processor;
using testing::Weights;
using testing::world_sizes;
using testing::worst;

namespace {

constexpr std::int64_t channels = 24, width = 5;

template <class... Norms>
void condition_all(Weights& weights, Norms&... norms) {
  ((norms = weights.conditional_norm(channels, width)), ...);
}

// Encoders with fixed destinations and with given ones, decoders; over ranks and pieces.
template <class Mapper>
void check_mapper(const Mapper& mapper, const at::Tensor& sources, const at::Tensor& destinations, std::int64_t columns,
                  at::Tensor (*naive)(const Mapper&, const at::Tensor&, const at::Tensor&, const at::Tensor&)) {
  const at::Tensor condition = at::randn({1, width});
  const at::Tensor expected = naive(mapper, sources, destinations, condition);
  CHECK(worst(naive(mapper, sources, destinations, at::zeros_like(condition)), expected) > 0.1);
  for (const int world_size : world_sizes) {
    for (const std::int64_t pieces : {1, 5}) {
      for (const bool fixed : {true, false}) {
        CAPTURE(world_size);
        CAPTURE(pieces);
        CAPTURE(fixed);
        CHECK(worst(run_mapper(mapper, sources, destinations, columns, fixed, world_size, pieces, 1 << 20, condition),
                    expected) < 2e-5);
      }
    }
  }
}

}  // namespace

TEST_CASE("a norm with one condition for all rows is the norm with that condition for each") {
  Weights weights(31);
  const nn::ConditionalNorm norm(weights.conditional_norm(channels, width), Precision::f32);
  nn::Workspace workspace(*testing::operations());
  const at::Tensor x = at::randn({11, channels}), row = at::randn({1, width});
  const nn::SameRows same(row);
  const nn::TensorRows each(row.expand({11, width}).contiguous(), workspace.operations());
  const at::Tensor by_same = at::empty_like(x), by_each = at::empty_like(x);
  norm(x, 0, &same, by_same, workspace);
  norm(x, 0, &each, by_each, workspace);
  CHECK(worst(by_same, by_each) < 1e-6);
  at::Tensor copied = at::empty({4, width});
  same.rows(at::tensor({0, 3, 2, 3}, at::kLong), copied);
  CHECK(at::equal(copied, row.expand({4, width})));
  const nn::ConditionalNorm without(weights.norm(channels), Precision::f32);
  CHECK_THROWS_AS(without(x, 0, &same, by_same, workspace), InternalFault);
  CHECK_THROWS_AS(norm(x, 0, nullptr, by_same, workspace), InternalFault);
}

TEST_CASE("a graph transformer mapper with a condition") {
  Weights weights(32);
  const auto graph = weights.graph(61, 17, 150, 3, 2, true);
  auto encoder = weights.mapper(graph, 13, 6, 4, 6, true, true, {});
  condition_all(weights, encoder.block.norm_source.emplace(), encoder.block.norm_destination, encoder.block.norm_mlp);
  check_mapper(encoder, at::randn({61, 13}), at::randn({17, 6}), channels, &testing::naive_mapper);
  const auto back = weights.graph(17, 61, 190, 3, 2, false);
  auto decoder = weights.mapper(back, channels, 9, 3, 8, false, false, 7);
  condition_all(weights, decoder.block.norm_source.emplace(), decoder.block.norm_destination, decoder.block.norm_mlp);
  check_mapper(decoder, at::randn({17, channels}), at::randn({61, 9}), 7, &testing::naive_mapper);
}

TEST_CASE("a transformer mapper with a condition") {
  Weights weights(33);
  for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(20)}) {
    auto encoder = weights.transformer_mapper(13, 6, channels, 4, 4, window, true, {});
    condition_all(weights, encoder.norm_source, encoder.norm_destination, encoder.norm_mlp);
    check_mapper(encoder, at::randn({61, 13}), at::randn({17, 6}), channels, &testing::naive_transformer_mapper);
  }
  auto decoder = weights.transformer_mapper(channels, 9, channels, 3, 8, {}, false, 7);
  condition_all(weights, decoder.norm_source, decoder.norm_destination, decoder.norm_mlp);
  check_mapper(decoder, at::randn({17, channels}), at::randn({61, 9}), 7, &testing::naive_transformer_mapper);
}

TEST_CASE("processors with one condition for all rows") {
  Weights weights(34);
  checkpoint::GraphTransformerProcessorDescription graph;
  graph.graph = weights.graph(47, 47, 190, 3, 2, true);
  graph.blocks = {weights.graph_block(channels, 4, 6, 5, false, false, true),
                  weights.graph_block(channels, 2, 8, 5, true, true, true)};
  for (auto& block : graph.blocks) condition_all(weights, block.norm_destination, block.norm_mlp);
  checkpoint::TransformerProcessorDescription attention;
  attention.blocks = {weights.transformer_block(4, 6, 3, false), weights.transformer_block(4, 6, {}, false)};
  for (auto& block : attention.blocks) condition_all(weights, block.norm_attention, block.norm_mlp);
  const at::Tensor x = at::randn({47, channels}), condition = at::randn({1, width});
  const at::Tensor by_graph = testing::naive_graph_transformer(graph, x, condition);
  const at::Tensor by_attention = testing::naive_transformer(attention, x, condition);
  for (const int world_size : world_sizes) {
    for (const std::int64_t chunks : {1, 6}) {
      CAPTURE(world_size);
      CAPTURE(chunks);
      CHECK(worst(run_processor(graph, x, world_size, chunks, 1 << 20, condition), by_graph) < 2e-5);
      CHECK(worst(run_processor(attention, x, world_size, chunks, 1 << 20, condition), by_attention) < 2e-5);
    }
  }
}
