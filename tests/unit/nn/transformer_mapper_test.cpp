// Transformer mappers, attention without a window, and the point-wise family, on one rank and sharded, against their
// formulas.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/nn/device_path.h"
#include "tests/unit/nn/over_ranks.h"
#include "tests/unit/nn/synthetic.h"
#include "worker/nn/processor.h"

using namespace tradewind;
using testing::run_mapper;
using testing::run_processor;
using testing::Weights;
using testing::world_sizes;
using testing::worst;

TEST_CASE("an encoder and a decoder whose destinations see every source") {
  Weights weights(11);
  // 4 heads over up to 7 ranks; the attention is narrower than the rows
  const auto encoder = weights.transformer_mapper(13, 6, 24, 4, 4, {}, true, {});
  const at::Tensor sources = at::randn({61, 13}), destinations = at::randn({17, 6});
  const at::Tensor expected = testing::naive_transformer_mapper(encoder, sources, destinations);
  const auto decoder = weights.transformer_mapper(24, 9, 24, 3, 8, {}, false, 7);
  const at::Tensor hidden = at::randn({17, 24}), data = at::randn({61, 9});
  const at::Tensor decoded = testing::naive_transformer_mapper(decoder, hidden, data);
  for (const int world_size : world_sizes) {
    for (const std::int64_t pieces : {1, 5}) {
      CAPTURE(world_size);
      CAPTURE(pieces);
      CHECK(worst(run_mapper(encoder, sources, destinations, 24, true, world_size, pieces), expected) < 2e-5);
      CHECK(worst(run_mapper(encoder, sources, destinations, 24, false, world_size, pieces), expected) < 2e-5);
      CHECK(worst(run_mapper(decoder, hidden, data, 7, false, world_size, pieces), decoded) < 2e-5);
    }
  }
}

TEST_CASE("windows by number of row: most queries see few keys or none, and get nothing") {
  Weights weights(12);
  for (const std::int64_t window : {0, 3, 16, 17, 40}) {
    const auto mapper = weights.transformer_mapper(24, 9, 24, 3, 8, window, false, {});
    const at::Tensor sources = at::randn({17, 24}), destinations = at::randn({61, 9});
    const at::Tensor expected = testing::naive_transformer_mapper(mapper, sources, destinations);
    for (const int world_size : world_sizes) {
      CAPTURE(window);
      CAPTURE(world_size);
      CHECK(worst(run_mapper(mapper, sources, destinations, 24, false, world_size, 2), expected) < 2e-5);
    }
  }
}

TEST_CASE("queries aligned to the last key, rotary embeddings, softcap and ALiBi") {
  Weights weights(13);
  const at::Tensor few = at::randn({17, 24}), many = at::randn({61, 24});
  for (const std::optional<std::int64_t> window : {std::optional<std::int64_t>(9), std::optional<std::int64_t>()}) {
    auto mapper = weights.transformer_mapper(24, 24, 24, 4, 6, window, true, 5);
    mapper.attention.aligned_to_end = true;
    mapper.attention.rotary = true;
    mapper.attention.softcap = 1.5;
    mapper.attention.alibi_slopes = weights.keep(at::tensor({0.5F, 0.25F, 0.125F, 0.0625F}));
    const at::Tensor down = testing::naive_transformer_mapper(mapper, many, few);
    const at::Tensor up = testing::naive_transformer_mapper(mapper, few, many);
    for (const int world_size : world_sizes) {
      CAPTURE(world_size);
      CAPTURE(window.has_value());
      CHECK(worst(run_mapper(mapper, many, few, 5, false, world_size, 1), down) < 2e-5);
      CHECK(worst(run_mapper(mapper, few, many, 5, false, world_size, 1), up) < 2e-5);
    }
  }
}

TEST_CASE("ranks that share the heads send what docs/communication.md says") {
  Weights weights(17);
  checkpoint::TransformerProcessorDescription processor;
  processor.blocks = {weights.transformer_block(4, 8, {}, false)};
  const std::int64_t rows = 52, width = 32, ranks = 4;
  testing::assemble(ranks, rows, width, [&](dist::Communicator& communicator) {
    const dist::Shards shards(rows, ranks);
    nn::Workspace workspace(*testing::operations());
    const auto layers = nn::make_processor(checkpoint::ProcessorDescription(processor),
                                           {Precision::f32, shards, communicator, 3, workspace});
    at::Tensor own = at::ones({rows / ranks, width});
    (*layers)(own, nullptr, communicator, workspace);
    const auto& traffic = communicator.statistics().by_place().at("processor layer 0");
    const std::int64_t values = 4 * (ranks - 1) * rows * width / (ranks * ranks);
    CHECK(traffic.bytes_received == 4 * values);
    CHECK(traffic.bytes_sent == traffic.bytes_received);
    CHECK(traffic.calls == 3 * 4);  // three rounds
    return own;
  });
}

TEST_CASE("more ranks than rows") {
  Weights weights(15);
  const auto mapper = weights.transformer_mapper(6, 5, 16, 2, 8, {}, false, 4);
  const at::Tensor sources = at::randn({5, 6}), destinations = at::randn({3, 5});
  const at::Tensor expected = testing::naive_transformer_mapper(mapper, sources, destinations);
  CHECK(worst(run_mapper(mapper, sources, destinations, 4, true, 7, 1), expected) < 2e-5);
}

TEST_CASE("the point-wise family") {
  Weights weights(16);
  const checkpoint::PointWiseMapperDescription encoder{13, {{weights.linear(24, 13)}}};
  const checkpoint::PointWiseMapperDescription decoder{24, {{weights.norm(24), weights.linear(7, 24)}}};
  checkpoint::PointWiseProcessorDescription processor;
  for (int layer = 0; layer < 3; ++layer) {
    processor.layers.push_back(
        {{weights.linear(50, 24), weights.norm(50), checkpoint::Activation::gelu, weights.linear(24, 50)}});
  }
  processor.layers.push_back({{weights.linear(24, 24), weights.norm(24), checkpoint::Activation::silu}});
  const at::Tensor x = at::randn({53, 13}), unused = at::randn({53, 4});
  const at::Tensor embedded = testing::naive_sequential(encoder.layers, x.to(at::kDouble));
  at::Tensor processed = embedded;
  for (const auto& layer : processor.layers) processed = testing::naive_sequential(layer, processed);
  const at::Tensor decoded = testing::naive_sequential(decoder.layers, processed);
  for (const int world_size : world_sizes) {
    for (const std::int64_t pieces : {1, 9}) {
      CAPTURE(world_size);
      const at::Tensor first = run_mapper(encoder, x, unused, 24, true, world_size, pieces);
      CHECK(worst(first, embedded) < 1e-5);
      const at::Tensor second = run_processor(processor, first, world_size, pieces);
      CHECK(worst(second, processed) < 1e-5);
      CHECK(worst(run_mapper(decoder, second, unused, 7, false, world_size, pieces), decoded) < 1e-5);
    }
  }
  CHECK_THROWS_AS(run_mapper(encoder, x, at::randn({52, 4}), 24, true, 1, 1), UserError);
}
