// Outputs that go to a stream of this process: standard output, or a descriptor that the shell has opened.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/run_config.h"
#include "launcher/clusters/cluster.h"

namespace tradewind::launcher {

// path -> descriptor. Errors: UserError where rank 0 cannot have the stream, EnvironmentFault where it is closed or not
// open for writing. What the printer prints to standard output goes as lines, through the launcher: it is not among
// them.
std::map<std::string, int> output_streams(const std::vector<config::OutputConfig>& outputs, const Placement& placement);

}  // namespace tradewind::launcher
