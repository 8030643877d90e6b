// The run folder: where a run leaves its report, later its logs and dumps. Only its owner can enter it. One that is
// there already serves only if it is this user's alone (common/files/folder.h).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/env.h"

namespace tradewind::launcher {

// `given`, made when it is not there, else a new tradewind-run-<UTC time> in `beside`, of a job
// tradewind-run-<job>-<UTC time>. Its path.
// EnvironmentFault naming the path.
std::string make_run_folder(const std::string& given, const std::string& beside, std::chrono::sys_seconds now,
                            const std::string& job = {});

// The one that all launchers of a run find: tradewind-run-<run> in `beside`, made by the first of them.
std::string make_shared_run_folder(const std::string& beside, const std::string& run);

// Where a new one may be made, the best first: beside the config, unless that is a stream or there is none; in the
// current folder (empty); in TMPDIR.
std::vector<std::string> parents_of_run_folders(const std::string& config, const Environment& environment);

}  // namespace tradewind::launcher
