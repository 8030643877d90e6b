#include <unistd.h>

#include "common/streams.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/workers.h"

namespace tradewind::launcher {

int compare(const CompareCommand& command, const Environment& environment, TimePoint started) {
  const Job job{.command = "compare", .arguments = command.arguments, .streams = {{standard_output, STDOUT_FILENO}}};
  // It has no phases, and may calculate for long.
  return run_workers(job, environment,
                     {.verbosity = Verbosity::quiet, .watch = {.mode = HangMode::off}, .started = started});
}

}  // namespace tradewind::launcher
