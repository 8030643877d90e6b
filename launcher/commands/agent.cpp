#include "launcher/clusters/cluster.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/workers.h"

namespace tradewind::launcher {

int agent(const Environment& environment) {
  config::RunnerConfig runner;
  runner.parallel = true;
  const Probes probes = probes_of_process(environment);
  return join_run(resolve({.runner = runner, .environment = environment, .probes = probes}), environment);
}

}  // namespace tradewind::launcher
