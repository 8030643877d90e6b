// Starts the workers of a job, or takes part in it, shows how they get on, and reports how they ended.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/env.h"
#include "launcher/clusters/cluster.h"
#include "launcher/launch/plan.h"
#include "launcher/progress/console.h"
#include "launcher/report/report.h"
#include "launcher/watch/settings.h"

namespace tradewind::launcher {

struct Supervision {
  Verbosity verbosity = Verbosity::normal;
  std::vector<std::string> reports;    // files to write the report to
  std::string run_folder;              // empty: none
  std::vector<std::string> srun_args;  // the user's own options for srun
  int restarts = 0;                    // how often ranks that end by a signal are started again
  WatchSettings watch;
  TimePoint started;  // of this process
};

// The ranks' libraries, and the launchers that srun starts, know --interface by these variables.
Environment with_interface(Environment environment, const std::string& interface);

// Writes every report that is wanted. One that cannot be written is told on standard error and changes nothing else:
// what the run came to, and its exit code, stand.
void write_reports(const Json& report, const Supervision& supervision);

// Run the job where `placement` says and return its exit code. A member that is not rank 0 leaves shows and reports to
// rank 0. Errors: EnvironmentFault and UserError before any worker has started, when a report cannot be written, or
// when a member finds or loses no controller.
int run_workers(const Job& job, const Placement& placement, const Environment& environment,
                const Supervision& supervision);
// One rank of a run whose controller TRADEWIND_CONTROL names, and which brings all else.
int join_run(const Placement& placement, const Environment& environment);
// All ranks on this host.
int run_workers(const Job& job, const Environment& environment, const Supervision& supervision);

}  // namespace tradewind::launcher
