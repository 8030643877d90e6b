#include <filesystem>

#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/workers.h"
#include "launcher/launch/path_claims.h"
#include "launcher/report/report.h"

namespace tradewind::launcher {

int predict(const PredictCommand& command, const Environment& environment, TimePoint started) {
  if (!std::filesystem::exists(command.input))
    throw UserError("no such file", command.input, "give the .npz that holds x");
  checkpoint::open_checkpoint(command.checkpoint,
                              {.forecast = false});  // refuses what is not supported before a worker starts
  PathClaims claims = {
      {.use = PathClaim::Use::writes, .path = command.output, .role = "the output", .where = "the command line"},
      {.path = command.input, .role = "the input", .where = "the command line"},
      {.path = command.checkpoint, .role = "the checkpoint", .where = "the command line"}};
  if (!command.report.empty())
    claims.push_back(
        {.use = PathClaim::Use::writes, .path = command.report, .role = "the report", .where = "--report"});
  check_claims(claims);
  if (!command.report.empty()) try_report(command.report);
  Job job{.command = "predict",
          .arguments = {{"checkpoint", command.checkpoint}, {"input", command.input}, {"output", command.output}},
          .world_size = command.world_size};
  if (!command.precision.empty()) job.arguments["precision"] = command.precision;
  if (!command.device.empty()) job.arguments["device"] = command.device;
  Supervision supervision{.verbosity = command.verbosity, .started = started};
  if (!command.report.empty()) supervision.reports.push_back(command.report);
  return run_workers(job, environment, supervision);
}

}  // namespace tradewind::launcher
