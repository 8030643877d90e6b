#include <filesystem>
#include <iostream>

#include "common/errors.h"
#include "launcher/commands/commands.h"
#include "launcher/launch/worker_program.h"
#include "launcher/process/system_errors.h"
#include "proto/drill_faults.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;

void list_faults() {
  std::cout << "tradewind drill FAULT lets one go wrong in a small forecast, and shows what the watch makes of it:\n\n";
  for (const auto& fault : proto::drill_faults) {
    std::string name(fault.name);
    name.resize(18, ' ');
    std::cout << "  " << name << fault.about << '\n';
  }
}

fs::path own_folder() { return own_program().parent_path(); }

// The example of an installation or of a source tree that was built in place.
fs::path example() {
  for (const char* way : {"../share/tradewind/rossby-haurwitz", "../../../examples/rossby-haurwitz"}) {
    std::error_code error;
    fs::path folder = fs::weakly_canonical(own_folder() / way, error);
    if (!error && fs::exists(folder / "config.yaml")) return folder;
  }
  throw EnvironmentFault("the small example is not there", own_folder().string(),
                         "install tradewind whole, or give a config of your own with --config");
}

}  // namespace

int drill(const DrillCommand& command, const Environment& environment, TimePoint started) {
  if (command.fault.empty()) {
    list_faults();
    return 0;
  }
  const auto* fault = proto::find_drill_fault(command.fault);
  if (fault == nullptr)
    throw UserError("unknown fault `" + command.fault + "`", "drill", "`tradewind drill` lists them");
  if (command.rank >= command.world_size)
    throw UserError("rank " + std::to_string(command.rank) + " of " + std::to_string(command.world_size) + " ranks",
                    "--rank", "ranks count from 0");
  RunCommand run;
  run.run_folder = command.run_folder.empty() ? "tradewind-drill-" + command.fault : command.run_folder;
  run.watch = command.watch;
  run.verbosity = command.verbosity;
  const fs::path folder = fs::absolute(run.run_folder);
  if (command.config.empty()) {
    const fs::path source = example();
    run.config = (source / "config.yaml").string();
    run.overrides = {"checkpoint=" + (source / "inference-last.ckpt").string(),
                     "input.grib=" + (source / "input.grib").string(),
                     "output.grib.path=" + (folder / "forecast.grib").string()};
  } else {
    run.config = command.config;
  }
  run.overrides.push_back("runner=parallel");
  run.overrides.push_back("world_size=" + std::to_string(command.world_size));
  // Nothing but the worker of drills knows faults.
  Environment drilled = environment;
  if (!environment.has("TRADEWIND_WORKER")) {
    const fs::path worker = worker_path(environment, "tradewind-drill-worker");
    if (!fs::exists(worker))
      throw EnvironmentFault("the worker that knows faults is not there", worker.string(),
                             "install tradewind whole, or build it: cmake --build --preset release --target "
                             "tradewind-drill-worker");
    drilled.set("TRADEWIND_WORKER", worker.string());
  }
  drilled.set("TRADEWIND_DRILL", "fault=" + command.fault + ",rank=" + std::to_string(command.rank) + ",step=" +
                                     std::to_string(command.step) + ",path=" + (folder / "drill-pipe").string());
  std::cerr << "drill: " << fault->about << " (rank " << command.rank << " of " << command.world_size << ", step "
            << command.step << ")\n";
  return launcher::run(run, drilled, started);
}

}  // namespace tradewind::launcher
