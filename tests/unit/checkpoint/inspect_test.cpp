#include "launcher/inspect/inspect.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "common/checkpoint/memory_estimate.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "launcher/inspect/facts.h"

using namespace tradewind;
using namespace tradewind::launcher;
using nlohmann::json;

namespace {

const std::string golden_folder = TRADEWIND_GOLDEN_DIR;
const std::string gt_transformer = golden_folder + "/gt-transformer/inference-last.ckpt";

json inspect_json(const std::string& path, int world_size = 1) {
  std::ostringstream out;
  CHECK(inspect({path, true, world_size}, out) == 0);
  return json::parse(out.str());
}

std::string inspect_text(const std::string& path, const std::optional<WantedByConfig>& config = {}) {
  std::ostringstream out;
  CHECK(inspect({path, false, 1, false, config}, out) == 0);
  return out.str();
}

bool tells(const std::string& text, const std::string& line) {
  CAPTURE(text);
  CAPTURE(line);
  return text.find(line) != std::string::npos;
}

}  // namespace

TEST_CASE("inspect tells what a checkpoint holds") {
  const json report = inspect_json(gt_transformer);
  CHECK(report["runnable"] == true);
  CHECK(report["obstacles"].empty());
  CHECK(report["model"]["class"] == "anemoi.models.models.encoder_processor_decoder.AnemoiModelEncProcDec");
  CHECK(report["model"]["generation"] == "0.15 and later");
  CHECK(report["model"]["parameters"] == 199090);
  CHECK(report["model"]["encoder"]["edges"] == 7568);
  CHECK(report["model"]["processor"]["window"] == 48);
  CHECK(report["grid"]["name"] == "O32");
  CHECK(report["grid"]["points"] == 5248);
  CHECK(report["time"]["timestep"] == "6h");
  CHECK(report["time"]["input_offsets"] == json{"-6h", "0h"});
  CHECK(report["precision"] == "16-mixed");
  CHECK(report["variables"]["diagnostic"] == json{"tcc", "tp"});
  CHECK(report["variables"]["constant_forcings"] == json{"lsm", "z"});
  CHECK(report["variables"]["dynamic_forcings"].empty());
  CHECK(report["variables"]["computed_forcings"].size() == 9);
  CHECK(report["variables"]["accumulations"] == json{"tp"});
}

TEST_CASE("inspect tells of an ensemble's noise") {
  const std::string ensemble = golden_folder + "/legacy/0.9.3-ens/inference-last.ckpt";
  const json report = inspect_json(ensemble);
  CHECK(report["runnable"] == true);
  CHECK(report["model"]["noise"]["rows"] == 544);
  CHECK(report["model"]["noise"]["channels"] == 4);
  CHECK(report["model"]["noise"]["deviation"] == 1);
  CHECK(report["model"]["noise"]["conditions"] == true);
  CHECK_FALSE(inspect_json(gt_transformer)["model"].contains("noise"));
  const std::string text = inspect_text(ensemble);
  CHECK(text.find("NoiseConditioning: 544 x 4 numbers a call, standard deviation 1") != std::string::npos);
}

TEST_CASE("inspect tells what each family has beside others") {
  const auto text = [](const std::string& name) {
    return inspect_text(golden_folder + "/" + name + "/inference-last.ckpt");
  };
  // Levels: counts keep their thousands on one line.
  const std::string levels = text("legacy/0.11.2-hierarchical-small-gnn");
  CHECK(tells(levels, "\ndown          "));
  CHECK(tells(levels, "\nup            "));
  const std::string datasets = text("datasets");
  for (const char* name : {"coarse", "fine", "made"})
    CHECK(tells(datasets, std::string("\ndataset       ").append(name)));
  CHECK(tells(datasets, "\nlatents       those of "));
  const std::string transport = text("transport-steps");
  CHECK(tells(transport, "\nsampler       "));
  CHECK(tells(transport, "\ntransport     "));
  // A truncation is an attribute of the model, or its residual.
  CHECK(tells(text("legacy/0.6.0-aifs-small-truncation"), "\nresidual      truncated: "));
  CHECK(tells(text("legacy/0.11.2-aifs-small-truncation"), "\nresidual      TruncatedConnection: "));
}

TEST_CASE("inspect tells what a configuration asks of a checkpoint") {
  const std::string transport = golden_folder + "/transport-steps/inference-last.ckpt";
  WantedByConfig config;
  config.filters = {{"pre_processors", {"noop", "clip"}}, {"output.grib", {"rescale (backward)"}}};
  config.sampling.schedule = {{"num_steps", {.value = std::int64_t{5}}}};
  const std::string text = inspect_text(transport, config);
  CHECK(tells(text, "\nfilters       pre_processors: noop, clip\n              output.grib: rescale (backward)\n"));
  CHECK(tells(text, ", 5 steps of "));
  CHECK_FALSE(tells(inspect_text(transport), ", 5 steps of "));
  std::ostringstream out;
  CHECK(inspect({transport, true, 1, false, config}, out) == 0);
  const json report = json::parse(out.str());
  CHECK(report["filters"][1]["place"] == "output.grib");
  CHECK(report["filters"][0]["filters"] == json{"noop", "clip"});
  CHECK(report["model"]["transport"]["levels"].size() == 6);
}

TEST_CASE("inspect fits a screen") {
  const std::string text = inspect_text(gt_transformer);
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(line.size() <= 200);
  CHECK(count <= 40);
  CHECK(text.find("199 090 parameters") != std::string::npos);
  CHECK(text.find("t_{500,850}") != std::string::npos);
}

TEST_CASE("what is no checkpoint is an error") {
  std::ostringstream out;
  CHECK_THROWS_AS(inspect({golden_folder + "/gt-transformer/config.yaml", true, 1}, out), UserError);
  CHECK_THROWS_AS(inspect({gt_transformer, true, 0}, out), UserError);
}

TEST_CASE("names on several levels are drawn together") {
  CHECK(drawn_together({"10u", "q_1000", "q_50", "q_850", "t_500", "cos_latitude", "tp"}) ==
        std::vector<std::string>{"10u", "q_{50,850,1000}", "t_500", "cos_latitude", "tp"});
}

TEST_CASE("the memory of a rank falls with the world size") {
  const auto opened = checkpoint::open_checkpoint(gt_transformer);
  const auto one = checkpoint::estimate_memory(opened.model, {});
  const auto two = checkpoint::estimate_memory(opened.model, {.world_size = 2});
  // edges: 8 bytes a row; 4 + 4 * 8 an edge (3 attributes and 4 trainable values, padded)
  CHECK(one.graph == 8 * 643 + 36 * 7568 + 8 * 5249 + 36 * 15744);
  CHECK(one.state == 5248 * (4 * (2 * 19 + 2 * 10) + 40));
  CHECK(one.nodes == 4 * 8 * 5248 + 4 * (32 + 32) * 642);
  CHECK(one.latent == 4 * 2 * 32 * 642);
  CHECK(one.halo_rows_encoder == 0);
  CHECK(two.halo_rows_encoder > 0);
  CHECK(two.halo_rows_encoder < 5248 / 2);
  CHECK(two.state == one.state / 2);
  CHECK(two.graph < one.graph);
  CHECK(two.mapped == one.mapped);
}

TEST_CASE("halo rows are those of a naive count") {
  const auto opened = checkpoint::open_checkpoint(gt_transformer);
  const auto& graph =
      std::get<checkpoint::GraphTransformerMapperDescription>(opened.model.datasets.at(0).decoder->mapper).graph;
  const auto index = checkpoint::to_int64(graph.edge_index);
  const auto rank_of = [](std::int64_t row, std::int64_t rows) {  // three ranks, larger first
    std::int64_t begin = 0;
    for (std::int64_t rank = 0;; ++rank) {
      begin += rows / 3 + (rank < rows % 3 ? 1 : 0);
      if (row < begin) return rank;
    }
  };
  std::set<std::int64_t> halo[3];
  for (std::int64_t edge = 0; edge < graph.edges; ++edge) {
    const auto source = index[static_cast<std::size_t>(edge)];
    const auto rank = rank_of(index[static_cast<std::size_t>(graph.edges + edge)], graph.destinations);
    if (rank_of(source, graph.sources) != rank) halo[rank].insert(source);
  }
  const auto most = std::max({halo[0].size(), halo[1].size(), halo[2].size()});
  CHECK(checkpoint::estimate_memory(opened.model, {.world_size = 3}).halo_rows_decoder ==
        static_cast<std::int64_t>(most));
}
