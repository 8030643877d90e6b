#include "launcher/commands/workers.h"

#include <iostream>

#include "common/errors.h"
#include "launcher/report/rank_table.h"
#include "launcher/report/report.h"

namespace tradewind::launcher {
namespace {

Outcome supervised(std::vector<RankPlan> plans, Console& console) {
  try {
    return run_ranks(std::move(plans), Limits{}, console);
  } catch (const proto::ProtocolError& error) {
    throw UserError(error.what(), "configuration", "use paths and texts in UTF-8, and less than 1 MiB of them");
  }
}

}  // namespace

int run_workers(const Job& job, const Environment& environment, const Supervision& supervision) {
  const Host host = this_host(environment);
  std::vector<RankPlan> plans = plan_local(job, host, environment);
  Console console(screen_of_process(), supervision.verbosity, job.world_size);
  const Outcome outcome = supervised(std::move(plans), console);
  const double total = std::chrono::duration<double>(Clock::now() - supervision.started).count();
  console.outcome(outcome, total);
  if (supervision.verbosity == Verbosity::verbose) std::cerr << rank_table(outcome) << std::flush;
  for (const std::string& path : supervision.reports) write_report(report_of(outcome, host.name, total), path);
  return outcome.exit_code;
}

}  // namespace tradewind::launcher
