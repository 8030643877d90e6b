// The command line of srun for a launcher that stands inside an allocation and starts its ranks itself. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/clusters/cluster.h"

namespace tradewind::launcher {

// `placement`: of mode wrap. `user_options` come last before `command`, so that srun takes them over ours; `folder`:
// where the ranks start. The first word is `srun`.
std::vector<std::string> srun_command(const Placement& placement, const Environment& environment,
                                      const std::string& folder, const std::vector<std::string>& user_options,
                                      const std::vector<std::string>& command);

// Splits an option's text into words as a shell does: blanks, '...', "..." and backslashes. UserError at an open quote.
std::vector<std::string> words_of(const std::string& text, const std::string& option);
// The other way, for showing a command.
std::string shown(const std::vector<std::string>& words);

}  // namespace tradewind::launcher
