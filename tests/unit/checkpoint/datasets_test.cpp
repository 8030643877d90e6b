// Models of several datasets: how they are routed, how their latents come together, and what their metadata say.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/checkpoint/layer_sizes.h"
#include "common/checkpoint/memory_estimate.h"
#include "common/checkpoint/opening/obstacles.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

// fine (o16) and coarse (o8) share an encoder, fine and made (o8) have decoders; latents beside each other, coarse
// first.
const std::string fixture = "datasets";

std::vector<Value> texts(const std::vector<std::string>& values) {
  std::vector<Value> out;
  for (const std::string& each : values) out.push_back(Value{each});
  return out;
}

std::vector<Metadata> metadata(const Json& patch = Json::object()) {
  return read_metadata(*archive::Archive::open(TRADEWIND_GOLDEN_DIR "/datasets/inference-last.ckpt"), patch);
}

// The first error of metadata with this patch.
std::string complaint(const Json& patch) {
  try {
    metadata(patch);
  } catch (const UserError& error) {
    return error.message();
  }
  return {};
}

}  // namespace

TEST_CASE("each dataset has its nodes, columns, encoder and decoder; latents keep the order of the encoders") {
  const ModelDescription model = Changed(fixture).model();
  REQUIRE(model.datasets.size() == 3);
  const DatasetDescription &fine = model.datasets[0], &coarse = model.datasets[1], &made = model.datasets[2];
  CHECK(fine.name == "fine");
  CHECK(fine.nodes.count == 1600);
  CHECK(coarse.name == "coarse");
  CHECK(coarse.nodes.count == 544);
  CHECK(coarse.input_variables == 8);
  CHECK(coarse.prognostic_input == std::vector<std::int64_t>{0, 1, 6});
  CHECK(made.name == "made");
  CHECK(made.nodes.count == 544);
  CHECK(made.input_variables == 10);
  CHECK(made.output_variables == 6);
  REQUIRE(made.preprocessors.size() == 1);
  CHECK(std::get<NormalizerDescription>(made.preprocessors[0]).input_add.size() == 10);
  REQUIRE(model.levels.size() == 1);
  CHECK(model.levels[0].count == 162);
  CHECK(model.aggregation == LatentAggregation::concatenation);
  CHECK(model.latents == std::vector<std::size_t>{1, 0});
  CHECK(latent_width(model) == 16);
}

TEST_CASE("an encoder that datasets share has its weights once and edges for each; a decoder may stand alone") {
  const ModelDescription model = Changed(fixture).model();
  const DatasetDescription &fine = model.datasets[0], &coarse = model.datasets[1], &made = model.datasets[2];
  REQUIRE(fine.encoder.has_value());
  REQUIRE(coarse.encoder.has_value());
  CHECK_FALSE(made.encoder.has_value());
  REQUIRE(fine.decoder.has_value());
  CHECK_FALSE(coarse.decoder.has_value());
  REQUIRE(made.decoder.has_value());
  const auto& first = std::get<GraphTransformerMapperDescription>(fine.encoder->mapper);
  const auto& second = std::get<GraphTransformerMapperDescription>(coarse.encoder->mapper);
  CHECK(first.block == second.block);
  CHECK(first.source_embedding == second.source_embedding);
  CHECK(first.graph.sources == 1600);
  CHECK(second.graph.sources == 544);
  CHECK(first.graph.edges != second.graph.edges);
  CHECK_FALSE(fine.encoder->hidden.has_value());
  CHECK(std::holds_alternative<SkipResidualDescription>(fine.residual));
  CHECK(std::holds_alternative<NoResidualDescription>(made.residual));
  CHECK(made.decoder->target_features ==
        std::vector<TargetFeature>{TargetFeature::coordinates, TargetFeature::prognostics});
  const auto& decoder = std::get<GraphTransformerMapperDescription>(made.decoder->mapper);
  CHECK(decoder.graph.destinations == 544);
  CHECK(decoder.destination_embedding->weight.shape == std::vector<std::int64_t>{8, 4 + 2 * 4});
  REQUIRE(decoder.source_embedding.has_value());  // of the wide latent
  CHECK(decoder.source_embedding->weight.shape == std::vector<std::int64_t>{8, 16});
}

TEST_CASE("latents in another order, added, or of other datasets than there are") {
  const std::string names = "model.latent_aggregator.source_names";
  CHECK(Changed(fixture).set_list(names, texts({"fine", "coarse"})).model().latents == std::vector<std::size_t>{0, 1});
  CHECK(says(Changed(fixture).set_list(names, texts({"fine"})), "the latents of 1 datasets of 2"));
  CHECK(says(Changed(fixture).set_list(names, texts({"fine", "fine"})), "which the model does not have once"));
  CHECK(says(Changed(fixture).set_list(names, texts({"fine", "made"})), "the latents of the dataset made"));
  CHECK(says(Changed(fixture).set_list(names, texts({"fine", "other"})), "the latents of the dataset other"));
  const std::string in = "anemoi.models.layers.aggregator.";
  // The processor is as wide as both.
  CHECK(says(Changed(fixture).rename_class("model.latent_aggregator", in + "SumAggregator"), "16 channels where 8"));
  CHECK(says(Changed(fixture).rename_class("model.latent_aggregator", in + "MeanAggregator"), "16 channels where 8"));
  CHECK(says(Changed(fixture).rename_class("model.latent_aggregator", "my.Aggregator"), "my.Aggregator"));
}

TEST_CASE("a dataset may be only read or only written, not neither, and its parts must be there") {
  const std::string inputs = "model.input_datasets", targets = "model.target_datasets";
  CHECK(says(Changed(fixture).set_list(targets, texts({"fine"})), "made has neither an encoder nor a decoder"));
  CHECK_FALSE(Changed(fixture).set_list(targets, texts({"made"})).model().datasets[0].decoder.has_value());
  CHECK(says(Changed(fixture).set_list(inputs, texts({"fine", "gone"})), "the dataset gone is none of the model's"));
  CHECK(says(Changed(fixture).set_list(inputs, texts({"fine", "fine"})), "the dataset fine is named twice"));
  CHECK(says(Changed(fixture).set_list("model.dataset_names", {}), "a model without datasets"));
  CHECK(says(Changed(fixture).set("model.dataset2encoder.fine", std::string("third")), "no encoder"));
  CHECK(says(Changed(fixture).rename_class("model.decoders_target_input.y.features.0",
                                           "anemoi.models.layers.target_features.EncodedDataFeature"),
             "the decoder of the dataset made starts from what an encoder makes of it"));
}

TEST_CASE("metadata of each dataset, in the document's order, and patches for all or by name") {
  const std::vector<Metadata> all = metadata();
  REQUIRE(all.size() == 3);
  CHECK(all[0].dataset == "fine");
  CHECK(all[0].grid == "O16");
  CHECK(all[0].grid_points == 1600);
  CHECK(all[1].dataset == "coarse");
  CHECK(all[1].grid_points == 544);
  CHECK(all[1].arrays.at("latitudes").shape == std::vector<std::int64_t>{544});
  CHECK(all[2].output.size() == 6);
  const Json steps = {{"timestep", "3h"}};
  const Json one = {{"metadata_inference", {{"coarse", {{"timesteps", steps}}}}}};
  const std::vector<Metadata> patched = metadata(one);
  CHECK(patched[0].time.timestep == std::chrono::hours(6));
  CHECK(patched[1].time.timestep == std::chrono::hours(3));
  const Json by_name = {{"fine", {{"invented", 1}}}, {"coarse", one}, {"made", Json::object()}};
  CHECK(metadata(by_name)[0].new_keys == std::vector<std::string>{"invented"});
  CHECK(metadata(by_name)[1].new_keys.empty());
  CHECK(metadata(by_name)[1].time.timestep == std::chrono::hours(3));
  CHECK(complaint({{"fine", {{"invented", 1}}}}).find("not 'coarse'") != std::string::npos);
}

TEST_CASE("names of datasets that the document does not bear out are refused with their place") {
  const Json document = metadata()[0].raw;
  const auto complaint_of = [&](const std::vector<std::string>& names) -> std::string {
    Json changed = document;
    changed["metadata_inference"]["dataset_names"] = names;
    try {
      interpret_datasets(changed);
    } catch (const UserError& error) {
      return error.message() + " @ " + error.where();
    }
    return {};
  };
  CHECK(complaint_of({"coarse", "fine"}).empty());
  CHECK(complaint_of({"fine", "fine"}).find("the dataset fine is named twice") != std::string::npos);
  CHECK(complaint_of({"fine", "other"}).find("other") != std::string::npos);
  CHECK(complaint_of(std::vector<std::string>(21, "x")).find("more than 20 datasets") != std::string::npos);
  Json odd = document;
  odd["metadata_inference"]["dataset_names"] = {{"fine", 1}};
  CHECK_THROWS_AS((void)interpret_datasets(odd), UserError);
  odd["metadata_inference"]["dataset_names"] = "fine";
  CHECK_THROWS_AS((void)interpret_datasets(odd), UserError);
}

TEST_CASE("model and metadata agree dataset by dataset, in whatever order each has them") {
  const auto archive = archive::Archive::open(TRADEWIND_GOLDEN_DIR "/datasets/inference-last.ckpt");
  std::vector<Metadata> all = metadata();
  ModelDescription model = Changed(fixture).model();
  std::swap(all[0], all[2]);
  require_agreement(*archive, all, model);
  CHECK(model.datasets[0].name == "made");
  CHECK(model.latents == std::vector<std::size_t>{1, 2});
  const auto complaint = [&](const std::vector<Metadata>& wrong) -> std::string {
    try {
      require_agreement(*archive, wrong, model);
    } catch (const UserError& error) {
      return error.message();
    }
    return {};
  };
  CHECK(complaint(all).empty());
  all[0].input.pop_back();
  CHECK(complaint(all) == "the model's dataset made has 10 input variables, its metadata 9");
  all = metadata();
  all[2].dataset = "other";
  CHECK(complaint(all).ends_with(", those of its metadata fine, coarse, other"));
  all.pop_back();
  CHECK(complaint(all).ends_with(", those of its metadata fine, coarse"));
}

TEST_CASE("datasets that do not move together are refused") {
  const std::string path = TRADEWIND_GOLDEN_DIR "/datasets/inference-last.ckpt";
  CHECK(obstacles(path).empty());
  Wanted wanted;
  wanted.patch_metadata = {{"metadata_inference", {{"coarse", {{"timesteps", {{"timestep", "3h"}}}}}}}};
  const Refusals found = obstacles(path, wanted);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == "the dataset coarse has a model call that moves on by 3h, fine has 6h");
  CHECK(found[0].where.find("metadata_inference.coarse.timesteps") != std::string::npos);
}

TEST_CASE("the memory of several datasets is that of all their rows, and falls with the ranks") {
  const Changed whole(fixture);
  const ModelDescription model = whole.model();
  const auto memory = [](const ModelDescription& of, int ranks) { return estimate_memory(of, {.world_size = ranks}); };
  std::int64_t states = 0;
  for (const DatasetDescription& dataset : model.datasets) {
    ModelDescription one = model;
    one.datasets = {dataset};
    one.latents = dataset.encoder ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
    states += memory(one, 1).state;
  }
  CHECK(memory(model, 1).state == states);
  CHECK(memory(model, 4).state * 4 == states);
  ModelDescription alone = model;
  alone.latents = {0};
  // The hidden rows of the second latent, twice.
  CHECK(memory(model, 1).latent >= memory(alone, 1).latent + 2 * 4 * 8 * 162);
}
