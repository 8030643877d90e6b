// Reader of a trunk over several levels of hidden nodes. Pure, thread-safe. Errors: UserError with class and path.
#pragma once

#include <string>
#include <vector>

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

inline constexpr std::string_view kHierarchicalModel =
    "anemoi.models.models.hierarchical.AnemoiModelEncProcDecHierarchical";

// Names of the levels, finest first: one of a model that has no list of them.
std::vector<std::string> level_names(const Node& model);

// `channels`: of the rows of level 0. `skip`: around the processor of the last level.
std::vector<StageDescription> read_hierarchy(const Scope& scope, const std::vector<NodeDescription>& levels,
                                             std::int64_t channels, bool skip);

}  // namespace tradewind::checkpoint
