// Mappers and processors, on one rank and sharded, against their formulas.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/nn/mapper.h"
#include "worker/nn/processor.h"

using namespace tradewind;
using testing::run_mapper;
using testing::run_processor;
using testing::Weights;
using testing::world_sizes;
using testing::worst;

namespace {

// As `mlp_extra_layers` adds one, in front of the last linear layer.
void add_hidden_layer(checkpoint::SequentialDescription& mlp, std::int64_t hidden, Weights& weights) {
  const auto at = mlp.layers.insert(mlp.layers.end() - 2, weights.linear(hidden, hidden));
  mlp.layers.insert(at + 1, checkpoint::Activation::silu);
}

}  // namespace

TEST_CASE("a forward mapper with fixed destinations") {
  Weights weights(1);
  const auto graph = weights.graph(61, 17, 150, 3, 5, true);
  const auto description = weights.mapper(graph, 13, 6, 4, 8, false, false, {});
  const at::Tensor sources = at::randn({61, 13}), destinations = at::randn({17, 6});
  const at::Tensor expected = testing::naive_mapper(description, sources, destinations);
  for (const int world_size : world_sizes) {
    for (const std::int64_t pieces : {1, 5, 100}) {
      CAPTURE(world_size);
      CAPTURE(pieces);
      CHECK(worst(run_mapper(description, sources, destinations, expected.size(1), true, world_size, pieces),
                  expected) < 2e-5);
    }
  }
}

TEST_CASE("a backward mapper with norms of queries and keys, an edge MLP and an extractor") {
  Weights weights(2);
  const auto graph = weights.graph(19, 71, 260, 3, 0, false);
  const auto description = weights.mapper(graph, 48, 9, 3, 16, true, true, 7);
  const at::Tensor sources = at::randn({19, 48}), destinations = at::randn({71, 9});
  const at::Tensor expected = testing::naive_mapper(description, sources, destinations);
  for (const int world_size : world_sizes) {
    CAPTURE(world_size);
    CHECK(worst(run_mapper(description, sources, destinations, expected.size(1), false, world_size, 2), expected) <
          5e-5);
  }
}

TEST_CASE("a mapper over more ranks than rows") {
  Weights weights(3);
  const auto graph = weights.graph(5, 3, 9, 2, 2, false);
  const auto description = weights.mapper(graph, 6, 5, 2, 8, false, false, 4);
  const at::Tensor sources = at::randn({5, 6}), destinations = at::randn({3, 5});
  const at::Tensor expected = testing::naive_mapper(description, sources, destinations);
  CHECK(worst(run_mapper(description, sources, destinations, expected.size(1), false, 7, 1), expected) < 2e-5);
}

TEST_CASE("a transformer processor: windows narrow, wider than a shard, none; every kind of score") {
  Weights weights(4);
  checkpoint::TransformerProcessorDescription description;
  description.blocks = {weights.transformer_block(4, 8, 3, false), weights.transformer_block(4, 8, 20, true),
                        weights.transformer_block(4, 8, {}, false), weights.transformer_block(4, 8, 0, false),
                        weights.transformer_block(4, 8, 11, true)};
  description.blocks[1].softcap = 2;
  description.blocks[2].rotary = true;
  description.blocks[4].alibi_slopes = weights.keep(at::tensor({0.5F, 0.25F, 0.125F, 0.0625F}));
  description.blocks[4].rotary = true;
  const at::Tensor x = at::randn({53, 32});
  const at::Tensor expected = testing::naive_transformer(description, x);
  for (const int world_size : world_sizes) {
    for (const std::int64_t chunks : {1, 6}) {
      const at::Tensor ours = run_processor(description, x, world_size, chunks);
      CAPTURE(world_size);
      CAPTURE(chunks);
      CHECK(worst(ours, expected) < 2e-5);
    }
  }
}

TEST_CASE("a transformer processor over more ranks than rows") {
  Weights weights(5);
  checkpoint::TransformerProcessorDescription description;
  description.blocks = {weights.transformer_block(2, 8, 1, false), weights.transformer_block(2, 8, {}, false)};
  const at::Tensor x = at::randn({4, 16});
  const at::Tensor expected = testing::naive_transformer(description, x);
  const at::Tensor ours = run_processor(description, x, 7, 1);
  CHECK(worst(ours, expected) < 2e-5);
}

TEST_CASE("a graph transformer processor: own edge MLPs, gated MLPs, narrow attention, rows without edges") {
  Weights weights(6);
  checkpoint::GraphTransformerProcessorDescription description;
  description.graph = weights.graph(47, 47, 190, 3, 2, true);
  using checkpoint::Activation;
  description.blocks = {weights.graph_block(24, 3, 8, 5, false, false, true),
                        weights.graph_block(24, 2, 4, 5, true, true, true, Activation::silu),
                        weights.graph_block(24, 3, 8, 5, true, false, true, Activation::gelu),
                        weights.graph_block(24, 4, 16, 5, false, true, true, Activation::relu)};
  const at::Tensor x = at::randn({47, 24});
  const at::Tensor expected = testing::naive_graph_transformer(description, x);
  for (const int world_size : world_sizes) {
    for (const std::int64_t chunks : {1, 6}) {
      CAPTURE(world_size);
      CAPTURE(chunks);
      CHECK(worst(run_processor(description, x, world_size, chunks), expected) < 2e-5);
    }
  }
}

TEST_CASE("a graph transformer processor over more ranks than rows") {
  Weights weights(7);
  checkpoint::GraphTransformerProcessorDescription description;
  description.graph = weights.graph(5, 5, 11, 2, 0, false);
  description.blocks = {weights.graph_block(16, 2, 8, 2, false, false, true)};
  const at::Tensor x = at::randn({5, 16});
  CHECK(worst(run_processor(description, x, 7, 1), testing::naive_graph_transformer(description, x)) < 2e-5);
}

TEST_CASE("message passing mappers: embedded or not, gated or not, edges kept or made again") {
  using checkpoint::Activation;
  for (const std::optional<Activation> gate : {std::optional<Activation>{}, std::optional(Activation::gelu)}) {
    Weights weights(8);
    const auto forward = weights.conv_mapper(weights.graph(61, 17, 150, 3, 5, true), 24, 13, 6, {}, gate);
    const auto backward = weights.conv_mapper(weights.graph(19, 71, 260, 3, 0, false), 24, 24, 24, 7, gate);
    const at::Tensor data = at::randn({61, 13}), hidden = at::randn({17, 6});
    const at::Tensor latent = at::randn({19, 24}), encoded = at::randn({71, 24});
    const at::Tensor up = testing::naive_conv_mapper(forward, data, hidden);
    const at::Tensor down = testing::naive_conv_mapper(backward, latent, encoded);
    for (const int world_size : world_sizes) {
      for (const std::int64_t kept_bytes : {0, 1 << 20}) {
        CAPTURE(world_size);
        CAPTURE(kept_bytes);
        CHECK(worst(run_mapper(forward, data, hidden, 24, true, world_size, 1, kept_bytes), up) < 2e-5);
        CHECK(worst(run_mapper(forward, data, hidden, 24, false, world_size, 5, kept_bytes), up) < 2e-5);
        CHECK(worst(run_mapper(backward, latent, encoded, 7, false, world_size, 3, kept_bytes), down) < 2e-5);
      }
    }
  }
}

TEST_CASE("what a message passing encoder makes of its sources") {
  Weights weights(9);
  auto description = weights.conv_mapper(weights.graph(61, 17, 150, 3, 5, true), 24, 13, 6, {}, {});
  const at::Tensor data = at::randn({61, 13}), which = at::tensor({60, 0, 7, 7, 31}, at::kLong);
  for (const bool update : {true, false}) {
    description.update_sources = update;
    const auto alone = dist::make_single_communicator();
    const dist::Shards sources(61, 1), destinations(17, 1);
    nn::Workspace workspace(*testing::operations());
    const auto mapper =
        nn::make_mapper(description, {Precision::f32, sources, destinations, *alone, "encoder", 1, workspace});
    const nn::TensorRows rows(data, workspace.operations());
    const auto updated = mapper->updated_sources(rows, workspace);
    REQUIRE(updated != nullptr);
    at::Tensor out = at::empty({5, updated->columns()}, at::kFloat);
    updated->rows(which, out);
    CHECK(worst(out, testing::naive_updated_sources(description, data).index({which})) < 2e-5);
  }
}

TEST_CASE("a message passing processor: edges carried from block to block, rows without edges, MLPs of any depth") {
  Weights weights(10);
  checkpoint::GraphConvProcessorDescription description;
  description.channels = 24;
  description.graph = weights.graph(47, 47, 190, 3, 2, true);
  description.edge_embedding = weights.normed_mlp(24, 5, 24);
  const at::Tensor x = at::randn({47, 24});
  for (const std::size_t layers : {1, 3}) {
    while (description.blocks.size() < layers) {
      const bool gated = description.blocks.size() == 1;
      description.blocks.push_back(
          weights.conv_block(24, gated ? std::optional(checkpoint::Activation::relu) : std::nullopt));
    }
    if (layers == 3) {
      add_hidden_layer(description.blocks.back().edge_mlp, 27, weights);
      add_hidden_layer(description.blocks.back().node_mlp, 29, weights);
    }
    const at::Tensor expected = testing::naive_graph_conv(description, x);
    for (const int world_size : world_sizes) {
      for (const std::int64_t chunks : {1, 6}) {
        for (const std::int64_t kept_bytes : {0, 1 << 20}) {
          CAPTURE(layers);
          CAPTURE(world_size);
          CAPTURE(chunks);
          CHECK(worst(run_processor(description, x, world_size, chunks, kept_bytes), expected) < 2e-5);
        }
      }
    }
  }
}
