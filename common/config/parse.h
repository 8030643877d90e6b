// The parts of parse_run_config, one per kind of component. Internal to common/config. Pure functions.
// `dataset` takes the name when a per-dataset form ({data: {grib: ...}}) is used. What options have wrong is noted in
// `findings`; a component that is none at all is thrown as UserError with place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/component.h"
#include "common/config/findings.h"
#include "common/config/node.h"
#include "common/config/run_config.h"

namespace tradewind::config {

// The part of `node` that is meant for the one dataset: below its name, or `node` itself when names of `kinds` stand
// there at once. Several datasets are refused.
const Node& of_dataset(const Node& node, const std::string& key, const Kinds& kinds,
                       std::optional<std::string>& dataset);

InputConfig parse_input(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                        Findings& findings);
OutputConfig parse_output(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                          Findings& findings);
std::vector<TemplateConfig> parse_templates(const Node& node, const std::string& key, Findings& findings);
// `world_size` and `cluster`: the top-level keys, null when not given. `plugins`: unknown names may exist at run time.
RunnerConfig parse_runner(const Node& runner, const Node* world_size, const Node* cluster, bool plugins,
                          Findings& findings);
std::vector<PostProcessorConfig> parse_post_processors(const Node& node, const std::string& key, Findings& findings);
void refuse_pre_processors(const Node& node, const std::string& key, Findings& findings);
int positive(const Node& node, const std::string& key, int most);  // an integer from 1 to `most`

}  // namespace tradewind::config
