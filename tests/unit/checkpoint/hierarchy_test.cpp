// A model of several levels of hidden nodes, one of the further cases.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/layer_sizes.h"
#include "common/errors.h"
#include "tests/helpers/case_file.h"
#include "tests/unit/checkpoint/changed.h"

using namespace tradewind;
using namespace tradewind::checkpoint;

namespace {

// What a stage is, and of which level: "process 0", "down 0", ...
std::string name_of(const StageDescription& stage) {
  struct Namer {
    std::string operator()(const ProcessStage& each) const { return "process " + std::to_string(each.level); }
    std::string operator()(const DownStage& each) const { return "down " + std::to_string(each.level); }
    std::string operator()(const UpStage& each) const { return "up " + std::to_string(each.level); }
  };
  return std::visit(Namer{}, stage);
}

}  // namespace

TEST_CASE("three levels, with processors on each on the way down and up") {
  const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, "latest/hierarchical");
  if (!file) return;
  const auto tree = Tree::read(archive::Archive::open(*file));
  const ModelDescription model = describe(*tree);
  CHECK(model.parameters == 439878);
  CHECK_FALSE(model.latent_skip);
  std::vector<std::int64_t> nodes;
  for (const NodeDescription& level : model.levels) nodes.push_back(level.count);
  CHECK(nodes == std::vector<std::int64_t>{642, 162, 42});
  std::vector<std::string> stages;
  for (const StageDescription& stage : model.trunk) stages.push_back(name_of(stage));
  CHECK(stages == std::vector<std::string>{"process 0", "down 0", "process 1", "down 1", "process 2", "up 1",
                                           "process 1", "up 0", "process 0"});
  CHECK(std::get<ProcessStage>(model.trunk.at(4)).skip);
  CHECK_FALSE(std::get<ProcessStage>(model.trunk.at(0)).skip);

  std::vector<std::int64_t> channels, edges;
  for_each_processor(model, [&](const ProcessorDescription& processor, const NodeDescription&) {
    channels.push_back(sizes_of(processor).channels);
    edges.push_back(sizes_of(processor).graph->edges);
  });
  CHECK(channels == std::vector<std::int64_t>{16, 32, 64, 32, 16});
  CHECK(edges == std::vector<std::int64_t>{5040, 1200, 240, 1200, 5040});
  std::vector<std::string> mappers;
  for_each_mapper(model, [&](const std::string& name, const MapperDescription& mapper, const NodeDescription& sources,
                             const NodeDescription& destinations) {
    mappers.push_back(name + ", " + std::to_string(sizes_of(mapper).graph->edges) + ": " +
                      std::to_string(sources.count) + " to " + std::to_string(destinations.count));
  });
  CHECK(mappers == std::vector<std::string>{"encoder, 7568: 5248 to 642", "down hidden_1, 5142: 642 to 162",
                                            "down hidden_2, 1302: 162 to 42", "up hidden_2, 810: 42 to 162",
                                            "up hidden_1, 3210: 162 to 642", "decoder, 15744: 642 to 5248"});
}

TEST_CASE("a hierarchical model without a list of levels is refused") {
  const std::string name = "anemoi.models.models.hierarchical.AnemoiModelEncProcDecHierarchical";
  CHECK(says(Changed("gt-transformer").rename_class("model", name), "_graph_name_hidden"));
}
