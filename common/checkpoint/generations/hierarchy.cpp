#include "common/checkpoint/generations/hierarchy.h"

#include <algorithm>
#include <utility>

#include "common/checkpoint/input_columns.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// The mappers between levels. Until 0.18 the way to coarser levels is called downscale, and each is listed by the level
// it comes from; since 0.19 it is called upscale, after its channels, and both are listed by the finer level. Before
// 0.11.3 a mapper has its edges itself.
struct Ways {
  Paths down, down_graph, up, up_graph;
  bool up_by_coarser;
};
const Ways kWays = {{"mapper to the next level", {"upscale.{hidden}"}, "proc"},
                    {"edges to the next level", {"upscale_graph_providers.{hidden}"}, "edge_index_base"},
                    {"mapper from the next level", {"downscale.{hidden}"}, "proc"},
                    {"edges from the next level", {"downscale_graph_providers.{hidden}"}, "edge_index_base"},
                    false};
const Ways kEarlierWays = {
    {"mapper to the next level", {"downscale.{hidden}"}, "proc"},
    {"edges to the next level", {"downscale_graph_providers.{hidden}", "downscale.{hidden}"}, "edge_index_base"},
    {"mapper from the next level", {"upscale.{hidden}"}, "proc"},
    {"edges from the next level", {"upscale_graph_providers.{hidden}", "upscale.{hidden}"}, "edge_index_base"},
    true};
const Paths kDownProcessor = {"processor on the way down", {"down_level_processor.{hidden}"}};
const Paths kDownProcessorGraph = {"edges of the processor on the way down",
                                   {"down_level_processor_graph_providers.{hidden}", "down_level_processor.{hidden}"},
                                   "edge_index_base"};
const Paths kUpProcessor = {"processor on the way up", {"up_level_processor.{hidden}"}};
const Paths kUpProcessorGraph = {"edges of the processor on the way up",
                                 {"up_level_processor_graph_providers.{hidden}", "up_level_processor.{hidden}"},
                                 "edge_index_base"};

const Ways& ways_of(const Node& model, const std::vector<NodeDescription>& levels) {
  if (levels.size() < 2) return kWays;
  const Node table = model.at("upscale");
  const bool by_finer = table.has(levels.front().name), by_coarser = table.has(levels.back().name);
  if (by_finer == by_coarser) {
    throw UserError("mappers between levels that are listed neither by the finer level nor by the coarser one",
                    table.path(), "the checkpoint is damaged, or of an unknown anemoi-models");
  }
  return by_finer ? kWays : kEarlierWays;
}

class Reader {
 public:
  Reader(const Scope& scope, const std::vector<NodeDescription>& levels, std::int64_t channels)
      : scope_(scope),
        levels_(levels),
        ways_(ways_of(scope.model, levels)),
        channels_{channels},
        level_process_(scope.model.at("level_process").as_bool()) {}

  std::vector<StageDescription> operator()(bool skip) {
    const std::size_t last = levels_.size() - 1;
    for (std::size_t level = 0; level < last; ++level) {
      if (level_process_) process(level, kDownProcessor, kDownProcessorGraph, false);
      down(level);
    }
    process(last, paths::processor, paths::processor_graph, skip);
    for (std::size_t level = last; level-- > 0;) {
      up(level);
      if (level_process_) process(level, kUpProcessor, kUpProcessorGraph, false);
    }
    return std::move(stages_);
  }

 private:
  Scope at(std::size_t level) const {
    Scope scope = scope_;
    scope.names.hidden = levels_[level].name;
    return scope;
  }

  void process(std::size_t level, const Paths& place, const Paths& graph, bool skip) {
    const Scope scope = at(level);
    stages_.emplace_back(ProcessStage{
        .level = level,
        .processor = read_processor(by_paths(scope.model, place, scope.names), scope,
                                    {.graph = graph, .nodes = levels_[level].count, .channels = channels_[level]}),
        .skip = skip});
  }

  void down(std::size_t level) {
    const Scope scope = at(level);
    MapperResult read = read_mapper(by_paths(scope.model, ways_.down, scope.names), scope,
                                    {.graph = ways_.down_graph,
                                     .sources = levels_[level].count,
                                     .destinations = levels_[level + 1].count,
                                     .source_channels = channels_[level],
                                     .destination_channels = node_columns(levels_[level + 1])});
    from_above_.push_back(read.source_channels > 0 ? read.source_channels : channels_[level]);
    channels_.push_back(read.output_channels);
    stages_.emplace_back(DownStage{level, std::move(read.description)});
  }

  void up(std::size_t level) {
    const Scope scope = at(ways_.up_by_coarser ? level + 1 : level);
    stages_.emplace_back(UpStage{level, read_mapper(by_paths(scope.model, ways_.up, scope.names), scope,
                                                    {.graph = ways_.up_graph,
                                                     .sources = levels_[level + 1].count,
                                                     .destinations = levels_[level].count,
                                                     .source_channels = channels_[level + 1],
                                                     .destination_channels = from_above_[level],
                                                     .output_channels = channels_[level],
                                                     .backward = true})
                                            .description});
  }

  const Scope& scope_;
  const std::vector<NodeDescription>& levels_;
  const Ways& ways_;
  std::vector<std::int64_t> channels_;    // of every level that was reached
  std::vector<std::int64_t> from_above_;  // of what the mapper to the next level leaves of its sources
  bool level_process_;
  std::vector<StageDescription> stages_;
};

}  // namespace

std::vector<std::string> level_names(const Node& model) {
  if (model.class_name() != kHierarchicalModel) return {model.at("_graph_name_hidden").as_string()};
  auto names = model.find("_graph_hidden_names");  // until 0.11.2
  if (!names) names = model.at("_graph_name_hidden");
  std::vector<std::string> out;
  for (const Node& name : names->items()) {
    out.push_back(name.as_string());
    if (std::count(out.begin(), out.end(), out.back()) > 1) {
      throw UserError("two levels of the name " + out.back(), names->path(), "the checkpoint is damaged");
    }
  }
  if (out.empty()) throw UserError("a hierarchical model without levels", names->path(), "the checkpoint is damaged");
  return out;
}

std::vector<StageDescription> read_hierarchy(const Scope& scope, const std::vector<NodeDescription>& levels,
                                             std::int64_t channels, bool skip) {
  return Reader(scope, levels, channels)(skip);
}

}  // namespace tradewind::checkpoint
