// The description of every generation's tree, against the sizes in the fixtures' case.json and the reference's modules.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/checkpoint/generations/describe.h"
#include "common/errors.h"
#include "tests/helpers/case_file.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

std::string golden(const std::string& name) {
  return std::string(TRADEWIND_GOLDEN_DIR) + "/" + name + "/inference-last.ckpt";
}

struct Described {
  std::shared_ptr<const Tree> tree;
  ModelDescription model;
};
Described describe_file(const std::string& path) {
  auto tree = Tree::read(archive::Archive::open(path));
  ModelDescription model = describe(*tree);
  return {tree, model};
}

const GraphTransformerMapperDescription& mapper(const MapperDescription& description) {
  return std::get<GraphTransformerMapperDescription>(description);
}
const TransformerProcessorDescription& processor(const ModelDescription& model) {
  return std::get<TransformerProcessorDescription>(std::get<ProcessStage>(model.trunk.at(0)).processor);
}

struct LegacyCase {
  const char* name;
  const char* generation;
  std::int64_t data_trainable, hidden_trainable;  // per node
  std::size_t layers;
  bool time;
};
const std::vector<LegacyCase> legacy_cases = {
    {"0.3.1-aifs", "0.3", 8, 6, 4, false},       {"0.4.2-aifs", "0.4", 6, 6, 4, false},
    {"0.4.2-aifs-sdpa", "0.4", 6, 6, 2, false},  {"0.6.0-aifs", "0.5-0.9.5", 6, 6, 4, false},
    {"0.8.1-aifs", "0.5-0.9.5", 6, 6, 4, false}, {"0.9.7-aifs", "0.9.6-0.10", 6, 6, 4, false},
    {"0.12.1-aifs", "0.12", 6, 6, 4, true},      {"0.13.0-aifs", "0.13-0.14", 8, 8, 4, true},
};

}  // namespace

TEST_CASE("gt-transformer is described whole") {
  const auto [tree, model] = describe_file(golden("gt-transformer"));
  CHECK(model.generation == "0.15 and later");
  CHECK(model.parameters == 199090);
  CHECK(model.datasets.at(0).name == "data");
  CHECK(model.datasets.at(0).input_steps == 2);
  CHECK(model.datasets.at(0).output_steps == 1);
  CHECK(model.datasets.at(0).input_variables == 19);
  CHECK(model.datasets.at(0).output_variables == 10);
  CHECK(model.datasets.at(0).nodes.count == 5248);
  CHECK(model.levels.at(0).count == 642);
  CHECK(model.datasets.at(0).nodes.trainable->shape[1] == 4);
  CHECK(model.latent_skip);
  CHECK(std::get<SkipResidualDescription>(model.datasets.at(0).residual).step == -1);
  CHECK(model.datasets.at(0).prognostic_input == std::vector<std::int64_t>{0, 1, 2, 9, 10, 15, 16, 18});
  CHECK(model.datasets.at(0).prognostic_output == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 9});

  const auto& encoder = mapper(model.datasets.at(0).encoder->mapper);
  CHECK(encoder.graph.edges == 7568);
  CHECK(encoder.graph.sorted_by_destination);
  CHECK(!encoder.graph.trainable_order);
  CHECK(encoder.graph.trainable->shape == std::vector<std::int64_t>{7568, 4});
  CHECK(encoder.source_embedding->weight.shape == std::vector<std::int64_t>{32, 46});
  CHECK(encoder.destination_embedding->weight.shape == std::vector<std::int64_t>{32, 8});
  CHECK(encoder.block.heads == 4);
  CHECK(encoder.block.head_size == 8);
  CHECK(!encoder.block.edge_mlp);
  CHECK(!encoder.block.query_norm);
  CHECK(encoder.block.mlp.layers.size() == 3);
  CHECK(std::get<Activation>(encoder.block.mlp.layers[1]) == Activation::gelu);
  CHECK(!encoder.extractor);
  const auto& decoder = mapper(model.datasets.at(0).decoder->mapper);
  CHECK(decoder.graph.edges == 15744);
  CHECK(!decoder.source_embedding);
  CHECK(decoder.extractor->layers.size() == 2);

  REQUIRE(processor(model).blocks.size() == 4);
  const auto& block = processor(model).blocks[0];
  CHECK(block.window == 48);
  CHECK(block.heads == 4);
  CHECK(!block.query.bias);
  CHECK(block.projection.bias);
  CHECK(block.softcap == 0);
  CHECK(!block.alibi_slopes);

  REQUIRE(model.datasets.at(0).boundings.size() == 2);
  CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[0]).columns == std::vector<std::int64_t>{8});
  const auto& hardtanh = std::get<HardtanhBoundingDescription>(model.datasets.at(0).boundings[1]);
  CHECK(hardtanh.columns == std::vector<std::int64_t>{7});
  CHECK(hardtanh.maximum == 1);
  REQUIRE(model.datasets.at(0).preprocessors.size() == 1);
  const auto& normalizer = std::get<NormalizerDescription>(model.datasets.at(0).preprocessors[0]);
  CHECK(normalizer.input_multiply.size() == 19);
  CHECK(normalizer.output_add.size() == 10);
  CHECK(normalizer.input_multiply[3] == 1);  // cos_julian_day: method none
  CHECK(normalizer.input_add[3] == 0);
}

TEST_CASE("rossby-haurwitz has the parameters that its case.json gives") {
  const auto [tree, model] =
      describe_file(std::string(TRADEWIND_GOLDEN_DIR) + "/../../examples/rossby-haurwitz/inference-last.ckpt");
  CHECK(model.parameters == 332715);
}

TEST_CASE("every legacy generation resolves to the same layers") {
  int seen = 0;
  for (const LegacyCase& expected : legacy_cases) {
    CAPTURE(expected.name);
    const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, std::string("legacy/") + expected.name);
    if (!file) continue;  // one of the further cases
    ++seen;
    const auto [tree, model] = describe_file(*file);
    CHECK(model.generation == expected.generation);
    CHECK(model.output_has_time == expected.time);
    CHECK(model.datasets.at(0).name == "data");
    CHECK(model.datasets.at(0).input_steps == 2);
    CHECK(model.datasets.at(0).output_steps == 1);
    CHECK(model.datasets.at(0).input_variables == 17);
    CHECK(model.datasets.at(0).output_variables == 11);
    CHECK(model.latent_skip);
    CHECK(std::get<SkipResidualDescription>(model.datasets.at(0).residual).step == -1);
    CHECK(model.datasets.at(0).nodes.count == 1600);
    CHECK(model.levels.at(0).count == 544);
    CHECK(model.datasets.at(0).nodes.trainable->shape[1] == expected.data_trainable);
    CHECK(model.levels.at(0).trainable->shape[1] == expected.hidden_trainable);
    const auto& encoder = mapper(model.datasets.at(0).encoder->mapper);
    CHECK(encoder.graph.edges == 1888);
    CHECK(!encoder.graph.trainable_order);
    CHECK(encoder.block.norm_source);
    CHECK(encoder.block.norm_source->weight->data != encoder.block.norm_destination.weight->data);
    CHECK(encoder.block.mlp.layers.size() == 3);
    CHECK(mapper(model.datasets.at(0).decoder->mapper).graph.edges == 4800);
    REQUIRE(processor(model).blocks.size() == expected.layers);
    for (const auto& block : processor(model).blocks) {
      CHECK(block.window == 40);
      CHECK(block.query.weight.shape == std::vector<std::int64_t>{64, 64});
      CHECK(block.key.weight.data != block.query.weight.data);
      CHECK(block.value.weight.data != block.key.weight.data);
      CHECK(block.mlp.layers.size() == 3);
    }
    REQUIRE(model.datasets.at(0).boundings.size() == 1);
    CHECK(std::get<ReluBoundingDescription>(model.datasets.at(0).boundings[0]).columns ==
          std::vector<std::int64_t>{5, 9});
    CHECK(std::get<NormalizerDescription>(model.datasets.at(0).postprocessors.at(0)).output_multiply.size() == 11);
  }
  CHECK(seen >= 3);
}

TEST_CASE("a fused projection is cut into its three parts") {
  const auto [tree, model] = describe_file(golden("legacy/0.6.0-aifs"));
  const auto& fused = tree->root().walk("model.processor.proc.0.blocks.0.attention.lin_qkv.weight").as_tensor();
  const auto& block = processor(model).blocks[0];
  REQUIRE(fused.shape == std::vector<std::int64_t>{192, 64});
  const auto value = to_double(block.value.weight), all = to_double(fused);
  CHECK(std::vector<double>(all.begin() + std::ptrdiff_t{2} * 64 * 64, all.end()) == value);
}
