// Where the ranks of a run come from: found from the configuration and the surroundings, before anything is started.
// Pure but for the probes, which are given: tests bring their own environment and host. Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/config/run_config.h"
#include "common/env.h"

namespace tradewind::launcher {

enum class ClusterName { local, slurm, openmpi, mpich, pmix, torchrun, custom };
enum class PlacementMode {
  spawn,   // this process starts all ranks, on this host
  member,  // this process was started as one rank of several, by something else
  wrap     // this process starts the ranks with srun
};

// A variable, or a key of the configuration, that decided, with its value.
struct Evidence {
  std::string name, value;
  bool operator==(const Evidence&) const = default;
};

struct Placement {
  ClusterName cluster = ClusterName::local;
  PlacementMode mode = PlacementMode::spawn;
  int world_size = 1;
  // Member only. local_size is 0 when nothing tells how many ranks this host has.
  int rank = 0, local_rank = 0, local_size = 0;
  // Host of each rank where the surroundings tell it (world_size names), else empty. Wrap: the hosts of the allocation,
  // one entry each.
  std::vector<std::string> hosts;
  // Who the run is: all of its members compute the same, and no other run on these hosts does. Made of letters, digits,
  // `.`, `_` and `-`. Empty for spawn outside Slurm, and for members that nothing but the rendezvous address names.
  std::string job;
  // As given by MASTER_ADDR and MASTER_PORT, or the configuration; empty and 0 when not given.
  std::string master_address;
  int master_port = 0;
  // A key-value store of somebody else (torchrun's agent) already serves at the master address and port.
  bool store_served = false;
  // Wrap: whether srun is to run inside a step, which needs --overlap.
  bool inside_step = false;
  std::vector<Evidence> decided_by;
  std::vector<std::string> notes;  // for the user: what was overridden, and why
};

// What the surroundings are asked beyond variables.
struct Probes {
  std::string host;                                  // this host's name
  std::function<int()> gpus = [] { return 0; };      // that this process may use
  std::function<bool(const std::string&)> program =  // whether a program of that name is on PATH
      [](const std::string&) { return false; };
  // Command lines of this process's ancestors, the parent first, words separated by blanks: a variable may have been
  // inherited from another step or job, an ancestor may not.
  std::vector<std::string> ancestors = {};
};
// Asks this host.
Probes probes_of_process(const Environment& environment);

struct Question {
  const config::RunnerConfig& runner;
  bool on_gpus = false;  // ranks need a GPU each
  const Environment& environment;
  const Probes& probes;
};

// The first environment that holds decides (registry.cpp has the order). UserError: variables that contradict each
// other or miss, more ranks than GPUs, several tasks of a runner that is not parallel, no srun where it is needed.
Placement resolve(const Question& question);

// A name for the run that all its members compute and no other run on these hosts has: its job, else its address.
std::string name_of_run(const Placement& placement);

const char* text_of(ClusterName cluster);  // local, slurm, openmpi, mpich, pmix, torchrun, custom
const char* text_of(PlacementMode mode);   // spawn, member, wrap

}  // namespace tradewind::launcher
