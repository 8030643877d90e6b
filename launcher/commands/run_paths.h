// What `tradewind run` makes of paths before it starts anything: clashes, reports, the run folder and its lock.
#pragma once

#include <string>

#include "common/env.h"
#include "common/files/lock_file.h"
#include "launcher/cli/command_line.h"
#include "launcher/clusters/cluster.h"
#include "launcher/commands/workers.h"
#include "launcher/launch/path_claims.h"

namespace tradewind::launcher {

// What the command line names.
PathClaims claims_of_command(const RunCommand& command);
// `--run-dir D --report D/report.json` asks for what is written anyway.
bool is_usual_report(const RunCommand& command);
// UserError for a clash, and for a report that cannot be written. Where this fails the report's path may be what is
// wrong: supervision has no reports then. `first`: of several launchers of one run, this one writes them.
void check_paths(const PathClaims& claims, Supervision& supervision, const std::string& run_folder, bool first);
// A report of what went wrong goes to no place that may be something else: what the run reads may not be known then.
void keep_to_reports(const RunCommand& command, Supervision& supervision);

struct RunFolder {
  std::string path;
  bool usual = true;  // beside the config, or where the user said
};
// The one that the user gave, or a new one in the first place that can be written. EnvironmentFault when there is none.
RunFolder make_run_folder_for(const RunCommand& command, const Placement& placement, const Environment& environment);
// Where `tradewind status` finds the run while it goes on, unless that is where everybody looks.
void tell_run_folder(const RunFolder& folder, const Placement& placement, Verbosity verbosity);
// One run at a time in a folder. UserError telling which one is.
LockFile lock_run(const std::string& run_folder);

}  // namespace tradewind::launcher
