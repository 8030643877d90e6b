#include <filesystem>
#include <iostream>
#include <optional>

#include "common/checkpoint/checkpoint.h"
#include "common/config/load.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/workers.h"
#include "launcher/report/report.h"
#include "launcher/report/run_folder.h"

namespace tradewind::launcher {
namespace {

// Ranks to start on this host.
int world_size_of(const config::RunnerConfig& runner) {
  if (!runner.parallel) return 1;
  const auto kind = runner.cluster.kind;
  if (kind != config::ClusterKind::automatic && kind != config::ClusterKind::manual)
    throw UserError("this build starts ranks on this host only", "runner.parallel.cluster",
                    "use `cluster: {manual: N}`, or `world_size: N`");
  if (runner.cluster.world_size) return *runner.cluster.world_size;
  return runner.world_size.value_or(1);
}

struct Prepared {
  Job job;
  std::string folder_beside;
};

// Finds every mistake that can be found without starting a worker.
Prepared prepare(const RunCommand& command, const Environment& environment) {
  const auto document = config::merge_config(
      {.config = command.config, .defaults = command.defaults, .overrides = command.overrides}, environment);
  auto warnings = document.warnings;
  const config::RunConfig config = config::parse_run_config(document, warnings);
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
  config::check_files(config, document);
  checkpoint::open_checkpoint(config.checkpoint, config.patch_metadata);
  const bool from_file = command.config.find('=') == std::string::npos;
  return {.job = {.command = "run",
                  .arguments = config::to_json(document),
                  .world_size = world_size_of(config.runner),
                  .environment = config.env},
          .folder_beside = from_file ? std::filesystem::path(command.config).parent_path().string() : std::string()};
}

}  // namespace

int run(const RunCommand& command, const Environment& environment, TimePoint started) {
  std::optional<Prepared> prepared;
  Supervision supervision{.verbosity = command.verbosity, .started = started};
  if (!command.report.empty()) supervision.reports.push_back(command.report);
  try {
    prepared = prepare(command, environment);
    const std::string folder =
        make_run_folder(command.run_folder, prepared->folder_beside,
                        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
    supervision.run_folder = folder;
    supervision.reports.push_back((std::filesystem::path(folder) / "report.json").string());
    return run_workers(prepared->job, environment, supervision);
  } catch (const Error& error) {
    const double total = std::chrono::duration<double>(Clock::now() - started).count();
    const Json report = report_of(error, prepared ? prepared->job.world_size : 1, total);
    for (const std::string& path : supervision.reports) write_report(report, path);
    throw;
  }
}

}  // namespace tradewind::launcher
