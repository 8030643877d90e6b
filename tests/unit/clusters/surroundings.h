// Environments as they were recorded under the real launchers, and what resolve() makes of them.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "launcher/clusters/cluster.h"

namespace tradewind::test {

using namespace tradewind::launcher;

// "A=1 B=two" as an environment.
inline Environment environment_of(const std::string& text) {
  std::istringstream words(text);
  Environment environment;
  for (std::string word; words >> word;)
    environment.set(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  return environment;
}

struct Surroundings {
  std::string variables;
  std::vector<std::string> ancestors = {};  // command lines, the parent's first
  std::string host = "node1";
  int gpus = 0;
  bool srun = true;
};

inline config::RunnerConfig parallel(std::optional<int> world_size = std::nullopt) {
  config::RunnerConfig runner;
  runner.parallel = true;
  runner.world_size = world_size;
  return runner;
}

inline config::RunnerConfig with_cluster(config::ClusterKind kind) {
  config::RunnerConfig runner = parallel();
  runner.cluster.kind = kind;
  return runner;
}

inline Placement placed(const Surroundings& around, const config::RunnerConfig& runner = parallel(),
                        bool on_gpus = false) {
  const Environment environment = environment_of(around.variables);
  Probes probes;
  probes.host = around.host;
  probes.gpus = [&around] { return around.gpus; };
  probes.program = [&around](const std::string& name) { return name == "srun" && around.srun; };
  probes.ancestors = around.ancestors;
  return resolve({runner, on_gpus, environment, probes});
}

inline bool decided_by(const Placement& placement, const std::string& name) {
  for (const Evidence& evidence : placement.decided_by)
    if (evidence.name == name) return true;
  return false;
}

}  // namespace tradewind::test
