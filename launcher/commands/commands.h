// What each command of `tradewind` does. Each returns the exit code and throws tradewind::Error when it cannot start.
// Call from the main thread.
#pragma once

#include "common/clock.h"
#include "common/config/run_config.h"
#include "common/env.h"
#include "launcher/cli/command_line.h"

namespace tradewind::launcher {

// `started`: when this process began, for the report's total.
int run(const RunCommand& command, const Environment& environment, TimePoint started);
int status(const StatusCommand& command);
// What the flight recorders of all ranks say, from dumps that somebody has taken.
int diagnose(const DiagnoseCommand& command);
int drill(const DrillCommand& command, const Environment& environment, TimePoint started);
int predict(const PredictCommand& command, const Environment& environment, TimePoint started);
// Prints the requests that bring what a configuration's checkpoint needs.
int retrieve(const RetrieveCommand& command, const Environment& environment);
// A model that stays, for a client on this host.
int serve(const ServeCommand& command, const Environment& environment, TimePoint started);
// A program of ranks that is not ours.
int exec(const ExecCommand& command, const Environment& environment, TimePoint started);
// What is in a checkpoint, and what a configuration asks of it.
int inspect(const InspectCommand& command, const Environment& environment);
// Says where ranks would come from; starts none.
int cluster(const ClusterCommand& command, const Environment& environment);
int compare(const CompareCommand& command, const Environment& environment, TimePoint started);
// One rank's launcher that srun has started for another one, which tells it what to do: TRADEWIND_CONTROL says where
// that is. Not for users.
int agent(const Environment& environment);

// Whether each rank needs a GPU.
inline bool wants_gpus(const config::RunConfig& config) { return config.device && config.device->starts_with("cuda"); }

}  // namespace tradewind::launcher
