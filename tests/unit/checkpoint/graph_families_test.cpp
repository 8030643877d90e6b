// What the trees of graph transformers and of message passing models mean, and what is refused in them.
#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/memory_estimate.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string options = "gt-gt-options", gnn = "legacy/0.4.2-gnn";

bool says(Changed& changed, const std::string& text) {
  const std::string error = changed.error();
  CAPTURE(error);
  CHECK(error.find(text) != std::string::npos);
  return error.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("gt-gt-options: a graph transformer with every option") {
  const ModelDescription model = Changed(options).model();
  CHECK_FALSE(model.latent_skip);
  CHECK(std::get<SkipResidualDescription>(model.datasets.at(0).residual).step == -2);
  CHECK(model.datasets.at(0).decoder->target_features ==
        std::vector<TargetFeature>{TargetFeature::coordinates, TargetFeature::forcings, TargetFeature::prognostics,
                                   TargetFeature::trainable_parameters, TargetFeature::encoded_data});
  CHECK(model.datasets.at(0).forcing_input.size() == 11);
  const auto& decoder = std::get<GraphTransformerMapperDescription>(model.datasets.at(0).decoder->mapper);
  CHECK(decoder.destination_embedding->weight.shape == std::vector<std::int64_t>{32, 92});
  const auto& processor =
      std::get<GraphTransformerProcessorDescription>(std::get<ProcessStage>(model.trunk.at(0)).processor);
  CHECK(processor.graph.edges == 5040);
  CHECK(processor.graph.sources == 642);
  for (const auto& block : processor.blocks) {
    CHECK(block.heads * block.head_size == block.projection.weight.shape[1]);
    CHECK_FALSE(block.norm_source);
    REQUIRE(block.edge_mlp);
    CHECK(block.edge_mlp->layers.size() == 2);
    CHECK(std::holds_alternative<GatedDescription>(block.mlp.layers.front()));
  }
}

TEST_CASE("a message passing model of 0.4.2") {
  const ModelDescription model = Changed(gnn).model();
  const auto& encoder = std::get<GraphConvMapperDescription>(model.datasets.at(0).encoder->mapper);
  CHECK(encoder.channels == 64);
  CHECK(encoder.update_sources);
  CHECK(encoder.source_embedding->layers.size() == 6);
  CHECK(std::holds_alternative<LayerNormDescription>(encoder.source_embedding->layers.back()));
  CHECK_FALSE(encoder.extractor);
  const auto& decoder = std::get<GraphConvMapperDescription>(model.datasets.at(0).decoder->mapper);
  CHECK_FALSE(decoder.source_embedding);
  CHECK_FALSE(decoder.destination_embedding);
  CHECK(decoder.extractor->layers.size() == 5);
  const auto& processor = std::get<GraphConvProcessorDescription>(std::get<ProcessStage>(model.trunk.at(0)).processor);
  CHECK(processor.graph.edges == 3264);
  REQUIRE(processor.blocks.size() == 4);
  for (const auto& block : processor.blocks) {
    CHECK(std::get<LinearDescription>(block.edge_mlp.layers.front()).weight.shape ==
          std::vector<std::int64_t>{64, 192});
    CHECK(std::get<LinearDescription>(block.node_mlp.layers.front()).weight.shape ==
          std::vector<std::int64_t>{64, 128});
  }
  CHECK(sizes_of(std::get<ProcessStage>(model.trunk.at(0)).processor).heads == 0);
  CHECK(sizes_of(std::get<ProcessStage>(model.trunk.at(0)).processor).layers == 4);
}

TEST_CASE("a sharding strategy of the reference changes nothing") {
  const ModelDescription whole = Changed(options).model();
  CHECK(Changed(options).set("model.processor.shard_strategy", std::string("edges")).model() == whole);
  CHECK(Changed(options).set("model.decoder.0.proc.shard_strategy", std::string("edges")).model() == whole);
}

TEST_CASE("what graph families do not know is refused by name") {
  const std::string block = "model.processor.proc.0";
  CHECK(says(Changed(options).rename_class(block, "my.Block"), "block of class my.Block"));
  CHECK(says(Changed(options).set(block + ".update_src_nodes", true), "update_src_nodes"));
  CHECK(says(Changed(options).set(block + ".conv.aggr", std::string("mean")), "aggregation mean"));
  CHECK(says(Changed(options).add(block, "gate", Value{true}), block + ".gate"));
  const std::string chunk = "model.processor.proc.0", conv = chunk + ".blocks.0.conv";
  CHECK(says(Changed(gnn).set(conv + ".flow", std::string("target_to_source")), "messages flow target_to_source"));
  CHECK(says(Changed(gnn).set(conv + ".aggr", std::string("max")), "aggregation max"));
  CHECK(says(Changed(gnn).share("model.processor.proc.1.emb_edges", chunk + ".emb_edges"), "a second embedding"));
  CHECK(says(Changed(gnn).rename_class(conv + ".edge_mlp", "my.MLP"), "MLP of class my.MLP"));
}

TEST_CASE("target features are refused by name") {
  const auto feature = [](Changed& changed) -> Value& {
    const Node list = Changed::root(changed).at("model").at("decoders_target_input").at("0").at("features");
    return const_cast<Value&>(list.items().front().value());  // NOLINT
  };
  Changed other(options);
  std::get<Object>(feature(other).data).name = "my.Feature";
  CHECK(says(other, "decoder target feature of class my.Feature"));
  CHECK(says(other, "anemoi.models.layers.target_features.PrognosticsFeature"));
}

TEST_CASE("an encoder that leaves its sources does not go with a decoder that embeds nothing") {
  Changed mixed(gnn);
  mixed.rename_class("model.encoder", "anemoi.models.layers.mapper.GraphTransformerForwardMapper");
  CHECK_FALSE(mixed.error().empty());
}

TEST_CASE("the memory of message passing counts its edges, and they are split over ranks") {
  const Changed opened(gnn);
  const ModelDescription model = opened.model();
  const auto one = estimate_memory(model, {}), four = estimate_memory(model, {.world_size = 4});
  // the embedding of the processor's edges; terms of the mappers' edges, and sums by destination
  CHECK(one.edges == 4 * 64 * (3264 + 1888 + 4800 + 544 + 1600));
  CHECK(four.edges < one.edges / 3);
  CHECK(one.halo_rows_processor == 0);
  CHECK(four.halo_rows_processor > 0);
}
