// Starts the workers of a job on this host, shows how they get on, and reports how they ended.
#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/launch/plan.h"
#include "launcher/progress/console.h"

namespace tradewind::launcher {

struct Supervision {
  Verbosity verbosity = Verbosity::normal;
  std::vector<std::string> reports;  // files to write the report to
  TimePoint started;                 // of this process
};

// The exit code of the job. Errors: those of plan_local() and run_ranks(), before any worker has started, and
// EnvironmentFault when a report cannot be written.
int run_workers(const Job& job, const Environment& environment, const Supervision& supervision);

}  // namespace tradewind::launcher
