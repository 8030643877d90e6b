#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "common/checkpoint/memory_estimate.h"
#include "common/checkpoint/verify.h"
#include "common/errors.h"
#include "common/precision.h"
#include "common/printable.h"
#include "launcher/clusters/cluster.h"
#include "launcher/commands/checked_config.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/run_paths.h"
#include "launcher/commands/workers.h"
#include "launcher/launch/host_check.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/output_streams.h"
#include "launcher/launch/srun.h"
#include "launcher/report/report.h"

namespace tradewind::launcher {
namespace {

struct Prepared {
  Job job;
  Placement placement;
  PathClaims claims;
  bool talkative = false;  // `verbosity` of the config
};

Precision precision_for(const config::RunConfig& config, const checkpoint::Metadata& metadata) {
  return config.precision ? *config.precision : precision_of(metadata.precision).value_or(Precision::f16);
}

// Ranks that srun will start elsewhere find other hosts than this one; those on GPUs need little memory of the host.
void warn_of_memory(const checkpoint::Checkpoint& opened, const config::RunConfig& config, const Placement& placement,
                    const Probes& probes) {
  const int here = placement.mode == PlacementMode::member ? placement.local_size : placement.world_size;
  if (placement.mode == PlacementMode::wrap || placement.rank != 0 || here < 1) return;
  if (config.device ? *config.device != "cpu" : probes.gpus() > 0) return;
  const Precision precision = precision_for(config, opened.metadata.front());
  const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto limit = memory_limit();
  const HostMemory host = host_memory();
  // The estimate for several ranks reads all edges: not where there is room for far more than it could say.
  const auto one = checkpoint::estimate_memory(opened.model, {1, precision, threads});
  const std::int64_t each = one.scratch + one.converted + one.runtime + one.attention;
  const std::int64_t room = limit ? std::min(limit->bytes, host.available) : host.available;
  if (one.mapped + 2 * one.own() + here * each < room) return;
  const auto estimate = checkpoint::estimate_memory(
      opened.model, {placement.world_size, precision, std::max(1, threads / std::max(1, here))});
  const std::string warning =
      check_memory({.ranks = here, .own = estimate.own(), .mapped = estimate.mapped}, limit, host);
  if (!warning.empty()) std::cerr << "warning: " << warning << std::endl;
}

// Where the ranks come from; what stands in the way is noted like the config's mistakes.
Placement placement_of(const RunCommand& command, const Environment& environment, const Probes& probes,
                       CheckedConfig& checked) {
  Placement placement;
  try {
    checked.findings.attempt([&] {
      placement = resolve({checked.config.runner, wants_gpus(checked.config), environment, probes});
      if (command.restarts > 0 && placement.mode == PlacementMode::member && placement.world_size > 1)
        throw UserError("ranks that something else has started cannot be started again", "--restart",
                        "leave it out, or let tradewind start the ranks: without srun, mpirun or torchrun before it");
    });
  } catch (const Error&) {
    checked.findings.throw_refusals();
    throw;
  }
  return placement;
}

// Of several launchers of one run, the first speaks for all.
void say(const CheckedConfig& checked, const Placement& placement, Verbosity verbosity) {
  if (placement.rank != 0) return;
  for (const std::string& warning : checked.findings.warnings()) std::cerr << "warning: " << warning << '\n';
  if (verbosity == Verbosity::quiet) return;
  for (const std::string& note : placement.notes) std::cerr << "note: " << note << '\n';
  if (const auto& config = checked.config; !config.name.empty() || !config.description.empty())
    std::cerr << "note: this is " << config.name << (config.name.empty() || config.description.empty() ? "" : ": ")
              << config.description << '\n';
}

// Finds every mistake that can be found without starting a worker.
Prepared prepare(const RunCommand& command, const Environment& environment) {
  CheckedConfig checked = check_config(
      {.config = command.config, .defaults = command.defaults, .overrides = command.overrides}, environment);
  const Probes probes = probes_of_process(environment);
  Placement placement = placement_of(command, environment, probes, checked);
  say(checked, placement, command.verbosity);
  checked.findings.throw_refusals();
  const checkpoint::Checkpoint& opened = checked.checkpoint.value();
  if (command.verify && placement.rank == 0) {
    refuse_all(checkpoint::damaged_entries(opened.archive));
    const std::string warning = checkpoint::warning_without_checksum(*opened.archive);
    if (command.check && !warning.empty())
      std::cerr << printable("warning: " + warning + "\n");  // a run says it itself
  }
  warn_of_memory(opened, checked.config, placement, probes);
  Prepared prepared;
  prepared.talkative = checked.config.verbosity > 0;
  std::vector<std::string> datasets;
  std::vector<config::OutputConfig> outputs;
  for (const checkpoint::Metadata& one : opened.metadata) {
    datasets.push_back(one.dataset);
    outputs.push_back(config::for_dataset(checked.config, one.dataset).output);
  }
  prepared.claims = claims_of(checked.config, checked.document, datasets);
  const PathClaims given = claims_of_command(command);
  prepared.claims.insert(prepared.claims.end(), given.begin(), given.end());
  prepared.job = {.command = "run",
                  .arguments = config::to_json(checked.document),
                  .world_size = placement.world_size,
                  .environment = checked.config.env};
  if (placement.rank == 0) prepared.job.streams = output_streams(outputs, placement);
  prepared.placement = std::move(placement);
  if (!command.interface.empty() && prepared.placement.mode != PlacementMode::wrap)
    chosen_addresses(interface_choice(command.interface, environment), network_of_host());
  return prepared;
}

int tell_that_it_can_run(const Prepared& prepared) {
  if (prepared.placement.rank == 0)
    std::cout << "nothing stands in the way of this run (" << prepared.job.world_size
              << (prepared.job.world_size == 1 ? " rank)" : " ranks)") << std::endl;
  return 0;
}

}  // namespace

int run(const RunCommand& command, const Environment& given, TimePoint started) {
  std::optional<Prepared> prepared;
  const Environment environment = with_interface(given, command.interface);
  Supervision supervision{
      .verbosity = command.verbosity, .restarts = command.restarts, .watch = command.watch, .started = started};
  if (!command.report.empty() && !is_usual_report(command)) supervision.reports.push_back(command.report);
  LockFile folder_lock;
  std::vector<LockFile> output_locks;
  bool paths_checked = false;
  try {
    supervision.srun_args = words_of(command.srun_args, "--srun-args");
    prepared = prepare(command, environment);
    const bool first = prepared->placement.rank == 0;
    check_paths(prepared->claims, supervision, command.run_folder, first);
    if (command.check) return tell_that_it_can_run(*prepared);
    if (prepared->talkative && command.verbosity == Verbosity::normal) supervision.verbosity = Verbosity::verbose;
    const std::string words = words_of_process();
    if (first) output_locks = lock_outputs(prepared->claims, words);
    if (first) prepared->job.environment["TRADEWIND_RUN"] = words;
    const RunFolder folder = make_run_folder_for(command, prepared->placement, environment);
    if (first) folder_lock = lock_run(folder.path);
    paths_checked = true;
    supervision.run_folder = folder.path;
    tell_run_folder(folder, prepared->placement, supervision.verbosity);
    supervision.reports.push_back((std::filesystem::path(supervision.run_folder) / "report.json").string());
    return run_workers(prepared->job, prepared->placement, environment, supervision);
  } catch (const Error& error) {
    // Rank 0's launcher writes the report of a run whose ranks were started by something else.
    if (prepared && prepared->placement.rank != 0) throw;
    const double total = seconds_since(started);
    const Json report = report_of(error, prepared ? prepared->job.world_size : 1, total);
    if (!paths_checked) keep_to_reports(command, supervision);
    write_reports(report, supervision);
    throw;
  }
}

}  // namespace tradewind::launcher
