// The parts of parse_run_config that have a file of their own. Internal to common/config. Pure functions. What options
// have wrong is noted in `findings`; a component that is none at all is thrown as UserError with place.
#pragma once

#include "common/config/nodes/component.h"
#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/config/run_config.h"

namespace tradewind::config {

// `world_size` and `cluster`: the top-level keys, null when not given. `plugins`: unknown names may exist at run time.
RunnerConfig parse_runner(const Node& runner, const Node* world_size, const Node* cluster, bool plugins,
                          Findings& findings);

sampling::Choice parse_predict_kwargs(const Node& node, const std::string& key, Findings& findings);

}  // namespace tradewind::config
