// Options that no fixture has, set in the tree of one that is near: each is described, or refused by name.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

const std::string latest = "gt-transformer", attention = "model.processor.proc.0.attention";
const std::string old = "legacy/0.4.2-aifs", old_attention = "model.processor.proc.0.blocks.0.attention";

}  // namespace

TEST_CASE("windows") {
  CHECK(!Changed(latest).set(attention + ".window_size", None{}).block().window);
  CHECK(!Changed(latest).set(attention + ".window_size", std::int64_t{-1}).block().window);
  CHECK(Changed(latest).set(attention + ".window_size", std::int64_t{0}).block().window == 0);
  CHECK(says(Changed(latest).set(attention + ".window_size", std::int64_t{-2}), "window_size -2 is not supported"));
  CHECK(!Changed(old).set(old_attention + ".window_size", std::int64_t{-1}).block().window);
  CHECK(says(Changed("legacy/0.4.2-aifs-sdpa").set(old_attention + ".window_size", std::int64_t{-1}), "window_size"));
}

TEST_CASE("0.3 keeps a bare function: torch's has no window") {
  const std::string fixture = "legacy/0.3.1-aifs";
  CHECK(Changed(fixture).block().window == 40);
  Changed bare(fixture);
  for (const char* layer : {"0.blocks.0", "0.blocks.1", "1.blocks.0", "1.blocks.1"}) {
    bare.rename_class("model.processor.proc." + std::string(layer) + ".attention.attention",
                      "torch._C._nn.scaled_dot_product_attention");
  }
  CHECK(!bare.block().window);
  CHECK(says(Changed(fixture).rename_class(old_attention + ".attention", "xformers.attention"),
             "attention of class xformers.attention is not supported"));
}

TEST_CASE("softcap and ALiBi: flash honours them, old SDPA ignores them, new SDPA refuses them") {
  CHECK(Changed(old).set(old_attention + ".softcap", 30.0).block().softcap == 30);
  CHECK(Changed("legacy/0.4.2-aifs-sdpa").set(old_attention + ".softcap", 30.0).block().softcap == 0);
  CHECK(says(Changed(latest).set(attention + ".softcap", 30.0), "softcap and ALiBi slopes are not possible"));
  CHECK(says(Changed(old).set(old_attention + ".use_alibi_slopes", true), "contradict"));

  static const float slopes[4] = {0.5F, 0.25F, 0.125F, 0.0625F};
  TensorDescriptor tensor;
  tensor.shape = {4};
  tensor.strides = {1};
  tensor.data = reinterpret_cast<const std::byte*>(slopes);
  Changed with_slopes(old);
  with_slopes.set(old_attention + ".use_alibi_slopes", true).set(old_attention + ".alibi_slopes", tensor);
  CHECK(to_double(*with_slopes.block().alibi_slopes) == std::vector<double>{0.5, 0.25, 0.125, 0.0625});
  tensor.shape = {3};
  with_slopes.set(old_attention + ".alibi_slopes", tensor);
  CHECK(says(with_slopes, "shape (3)"));
}

TEST_CASE("attributes and classes that no row knows are refused by name") {
  CHECK(says(Changed(latest).add(attention, "sink_tokens", Value{std::int64_t{4}}),
             "attribute `sink_tokens` of anemoi.models.layers.attention.MultiHeadSelfAttention is not known"));
  CHECK(Changed(latest).add(attention, "sink_tokens", Value{None{}}).error().empty());
  CHECK(says(Changed(latest).add("model.encoder.0.proc", "gate", Value{true}), "model.encoder.0.proc.gate"));
  CHECK(says(Changed(latest).rename_class("model.processor", "my.package.Processor"),
             "processor of class my.package.Processor is not supported"));
  CHECK(says(Changed(latest).rename_class("model.processor", "my.package.Processor"),
             "anemoi.models.layers.processor.TransformerProcessor"));
  CHECK(says(Changed(latest).rename_class("model.encoder.0.proc.lin_query", "transformer_engine.Linear"),
             "linear layer of class transformer_engine.Linear"));
  CHECK(says(Changed(latest).rename_class("model.encoder.0.proc.node_dst_mlp.mlp.1", "torch.nn.modules.activation.ELU"),
             "torch.nn.modules.activation.ELU"));
  CHECK(says(Changed(latest).rename_class("model.encoder.0.proc.layer_norm_attention_src",
                                          "anemoi.models.layers.normalization.ConditionalLayerNorm"),
             "ConditionalLayerNorm"));
  CHECK(says(Changed(latest).rename_class("model.encoder.0.proc.conv", "anemoi.models.layers.conv.GraphConv"),
             "convolution of class anemoi.models.layers.conv.GraphConv"));
  CHECK(says(Changed(latest).set("model.encoder.0.proc.update_src_nodes", true), "update_src_nodes"));
  CHECK(says(Changed(latest).set(attention + ".is_causal", true), "causal"));
  CHECK(says(Changed(latest).set("model.decoder_graph_provider.data.trainable_layout_version", std::int64_t{0}),
             "trainable_layout_version"));
}

TEST_CASE("other options") {
  CHECK(!Changed(latest).set("model.latent_skip", false).model().latent_skip);
  CHECK(std::get<SkipResidualDescription>(
            Changed(latest).set("model.residual.data.step", std::int64_t{0}).model().datasets.at(0).residual)
            .step == -2);
  CHECK(says(Changed(latest).set("model.residual.data.step", std::int64_t{2}), "step 2 of 2"));
  const auto gelu = Changed(latest).set("model.processor.proc.0.mlp.mlp.1.approximate", std::string("tanh")).block();
  CHECK(std::get<Activation>(gelu.mlp.layers.at(1)) == Activation::gelu_tanh);
  CHECK(says(Changed("legacy/0.6.0-aifs").set("model.A_down", true), "expected a sparse tensor, found a bool"));
}

TEST_CASE("tensors that do not fit each other are refused") {
  TensorDescriptor tensor;
  tensor.shape = {32, 31};
  tensor.strides = {31, 1};
  CHECK(says(Changed(latest).set("model.encoder.0.proc.lin_query.weight", tensor), "shape (32, 31) where (32, 32)"));

  static const std::int32_t edges[4] = {0, 5248, 0, 0};
  tensor.dtype = ScalarType::i32;
  tensor.shape = {2, 2};
  tensor.strides = {2, 1};
  tensor.data = reinterpret_cast<const std::byte*>(edges);
  CHECK(says(Changed(latest).set("model.encoder_graph_provider.data.edge_index_base", tensor),
             "an edge's source is node 5248 of 5248"));
}

TEST_CASE("a sequence that holds itself is refused") {
  Changed changed(latest);
  const std::string sequence = "model.processor.proc.0.mlp.mlp";
  CHECK(says(changed.share(sequence + ".0", sequence), "too many layers"));
}
