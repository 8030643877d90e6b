// Transformer and point-wise families as the fixtures have them, and options that a change of a fixture makes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

TransformerMapperDescription encoder(const Changed& changed) {
  return std::get<TransformerMapperDescription>(changed.model().datasets.at(0).encoder->mapper);
}
TransformerMapperDescription decoder(const Changed& changed) {
  return std::get<TransformerMapperDescription>(changed.model().datasets.at(0).decoder->mapper);
}

const std::string attention = "model.encoder.0.proc.attention";

}  // namespace

TEST_CASE("transformer mappers without a window") {
  const Changed fixture("transformer");
  const auto down = encoder(fixture), up = decoder(fixture);
  CHECK(down.source_embedding->weight.shape == std::vector<std::int64_t>{32, 46});
  CHECK(down.destination_embedding.weight.shape == std::vector<std::int64_t>{32, 8});
  CHECK(!down.extractor);
  CHECK(!down.attention.window);
  CHECK(!down.attention.aligned_to_end);
  CHECK(!up.source_embedding);
  CHECK(up.destination_embedding.weight.shape == std::vector<std::int64_t>{32, 46});
  CHECK(up.extractor->layers.size() == 2);
  const auto blocks =
      std::get<TransformerProcessorDescription>(std::get<ProcessStage>(fixture.model().trunk.at(0)).processor).blocks;
  CHECK(!blocks.at(0).window);
  CHECK(blocks.at(0).query_norm);
}

TEST_CASE("a window of -1 reaches as far as there are keys; an attention narrower than its rows") {
  const Changed fixture("transformer-window");
  const auto down = encoder(fixture).attention;
  CHECK(down.window == 5248);
  CHECK(down.heads == 4);
  CHECK(down.head_size == 4);
  CHECK(down.projection.weight.shape == std::vector<std::int64_t>{32, 16});
  CHECK(down.query_norm);
  CHECK(decoder(fixture).attention.window == 642);
  CHECK(std::holds_alternative<GatedDescription>(encoder(fixture).mlp.layers.at(0)));
  CHECK(fixture.block().window == 16);
  CHECK(encoder(Changed("transformer-window").set(attention + ".window_size", std::int64_t{7})).attention.window == 7);
  CHECK(!encoder(Changed("transformer-window").set(attention + ".window_size", None{})).attention.window);
}

TEST_CASE("with flash attention -1 means no window, and queries are aligned to the last key") {
  Changed flash("transformer-window");
  flash.rename_class(attention + ".attention", "anemoi.models.layers.attention.FlashAttentionWrapper");
  flash.set(attention + ".attention.attention", Global{"flash_attn.flash_attn_interface.flash_attn_func"});
  flash.remove(attention + ".attention", "attn_mask").remove(attention + ".attention", "create_mask");
  CHECK(!encoder(flash).attention.window);
  CHECK(encoder(flash).attention.aligned_to_end);
  flash.set(attention + ".window_size", std::int64_t{100});
  CHECK(encoder(flash).attention.window == 100);
}

TEST_CASE("options of transformer mappers that no family knows are refused by name") {
  CHECK(says(Changed("transformer").rename_class(attention, "my.CrossAttention"),
             "attention of class my.CrossAttention is not supported"));
  CHECK(says(Changed("transformer").add("model.encoder.0", "gate", Value{true}), "model.encoder.0.gate"));
  CHECK(says(Changed("transformer").add("model.encoder.0.proc", "gate", Value{true}), "attribute `gate`"));
  CHECK(says(Changed("transformer").set(attention + ".softcap", 3.0), "softcap and ALiBi slopes are not possible"));
}

TEST_CASE("the point-wise family") {
  const ModelDescription model = Changed("pointwise").model();
  CHECK(model.levels.at(0).count == 5248);
  const auto& encoder = std::get<PointWiseMapperDescription>(model.datasets.at(0).encoder->mapper);
  CHECK(encoder.inputs == 46);
  REQUIRE(encoder.layers.layers.size() == 1);
  CHECK(std::get<LinearDescription>(encoder.layers.layers[0]).weight.shape == std::vector<std::int64_t>{32, 46});
  const auto& processor = std::get<PointWiseProcessorDescription>(std::get<ProcessStage>(model.trunk.at(0)).processor);
  REQUIRE(processor.layers.size() == 4);
  REQUIRE(processor.layers[0].layers.size() == 4);
  CHECK(std::get<LayerNormDescription>(processor.layers[0].layers[1]).size == 128);
  CHECK(std::get<Activation>(processor.layers[0].layers[2]) == Activation::gelu);
  const auto& decoder = std::get<PointWiseMapperDescription>(model.datasets.at(0).decoder->mapper);
  CHECK(decoder.inputs == 32);
  CHECK(decoder.layers.layers.size() == 2);

  CHECK(says(Changed("pointwise").rename_class("model.processor", "my.Processor"), "processor of class my.Processor"));
  CHECK(says(Changed("pointwise").rename_class("model.processor.proc.0", "my.Block"), "block of class my.Block"));
  CHECK(says(Changed("pointwise").add("model.processor.proc.0", "gate", Value{true}), "attribute `gate`"));
}
