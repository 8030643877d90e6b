#include <filesystem>
#include <iostream>
#include <optional>

#include "common/errors.h"
#include "launcher/clusters/cluster.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/run_paths.h"
#include "launcher/commands/workers.h"
#include "launcher/evidence/evidence_folder.h"
#include "launcher/launch/host_check.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/srun.h"
#include "launcher/programs/program.h"
#include "launcher/report/report.h"

namespace tradewind::launcher {
namespace {

Placement placement_of(const ExecCommand& command, const Environment& environment) {
  config::RunnerConfig runner;
  runner.parallel = true;
  runner.world_size = command.world_size;
  const Probes probes = probes_of_process(environment);
  Placement placement =
      resolve({.runner = runner, .on_gpus = command.own_gpu, .environment = environment, .probes = probes});
  if (command.restarts > 0 && placement.mode == PlacementMode::member && placement.world_size > 1)
    throw UserError("ranks that something else has started cannot be started again", "--restart",
                    "leave it out, or let tradewind start the ranks: without srun, mpirun or torchrun before it");
  if (placement.rank == 0 && command.verbosity != Verbosity::quiet)
    for (const std::string& note : placement.notes) std::cerr << "note: " << note << '\n';
  return placement;
}

Job job_of(const ExecCommand& command, const Placement& placement) {
  return {.command = exec_command,
          .arguments = to_json(Program{.words = command.program,
                                       .python = command.python,
                                       .own_cpus = command.own_cpus,
                                       .own_gpu = command.own_gpu}),
          .world_size = placement.world_size};
}

// What `run` makes of its paths, of a command without a configuration.
RunCommand paths_of(const ExecCommand& command) {
  RunCommand paths;
  paths.run_folder = command.run_folder;
  paths.report = command.report;
  return paths;
}

// The program and whatever its words name are no places for what the launcher writes.
PathClaims claims_of(const ExecCommand& command, const RunCommand& paths) {
  PathClaims claims = claims_of_command(paths);
  for (const std::string& word : command.program) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(word, ignored))
      claims.push_back({.path = word, .role = "the program's file", .where = "after `--`"});
  }
  return claims;
}

// Before any rank starts, where they start here.
void check_program(const ExecCommand& command, const Placement& placement, const Environment& environment) {
  if (placement.mode != PlacementMode::wrap)
    find_program(command.program.front(), environment.get_or("PATH", "/usr/local/bin:/usr/bin:/bin"));
}

}  // namespace

int exec(const ExecCommand& command, const Environment& given, TimePoint started) {
  const Environment environment = with_interface(given, command.interface);
  const RunCommand paths = paths_of(command);
  Supervision supervision{
      .verbosity = command.verbosity, .restarts = command.restarts, .watch = command.watch, .started = started};
  supervision.watch.programs = true;
  if (!command.report.empty() && !is_usual_report(paths)) supervision.reports.push_back(command.report);
  std::optional<Placement> placement;
  LockFile lock;
  bool paths_checked = false;
  try {
    supervision.srun_args = words_of(command.srun_args, "--srun-args");
    placement = placement_of(command, environment);
    check_program(command, *placement, environment);
    if (!command.interface.empty() && placement->mode != PlacementMode::wrap)
      chosen_addresses(interface_choice(command.interface, environment), network_of_host());
    const bool first = placement->rank == 0;
    check_paths(claims_of(command, paths), supervision, command.run_folder, first);
    const RunFolder folder = make_run_folder_for(paths, *placement, environment);
    if (first) lock = lock_run(folder.path);
    if (first) forget_evidence(folder.path);
    paths_checked = true;
    supervision.run_folder = folder.path;
    tell_run_folder(folder, *placement, supervision.verbosity);
    supervision.reports.push_back((std::filesystem::path(folder.path) / "report.json").string());
    return run_workers(job_of(command, *placement), *placement, environment, supervision);
  } catch (const Error& error) {
    // Rank 0's launcher writes the report of a run whose ranks were started by something else.
    if (placement && placement->rank != 0) throw;
    const double total = std::chrono::duration<double>(Clock::now() - started).count();
    if (!paths_checked) keep_to_reports(paths, supervision);
    write_reports(report_of(error, placement ? placement->world_size : 1, total), supervision);
    throw;
  }
}

}  // namespace tradewind::launcher
