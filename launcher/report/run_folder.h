// The run folder: where a run leaves its report, later its logs and dumps. Only its owner can enter it.
#pragma once

#include <chrono>
#include <string>

namespace tradewind::launcher {

// `given`, made when it is not there, else a new tradewind-run-<UTC time> in `beside`, of a job
// tradewind-run-<job>-<UTC time>. Its path.
// EnvironmentFault naming the path.
std::string make_run_folder(const std::string& given, const std::string& beside, std::chrono::sys_seconds now,
                            const std::string& job = {});

// The one that all launchers of a run find: tradewind-run-<run> in `beside`, made by the first of them.
std::string make_shared_run_folder(const std::string& beside, const std::string& run);

}  // namespace tradewind::launcher
