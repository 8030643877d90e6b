// Which workers to start, and how: ranks on this host, threads of each, environment, rendezvous.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/agent/agent.h"
#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

// What every rank is to do.
struct Job {
  std::string command;  // run, predict, compare
  proto::Json arguments;
  int world_size = 1;
  std::map<std::string, std::string> environment;  // the config's `env`, on top of ours
};

// What is known of this host.
struct Host {
  std::string name;
  std::string worker;  // path of tradewind-worker
  int cpus = 1;        // that this process may use
};
// TRADEWIND_WORKER, else tradewind-worker beside this executable. EnvironmentFault when there is none.
Host this_host(const Environment& environment);

struct LaunchPlan {
  std::vector<RankPlan> ranks;
  Descriptor listener;  // several ranks: listens at the master port of the loopback, inherited by rank 0
};
// World sizes beyond one meet at 127.0.0.1. Threads of a rank: OMP_NUM_THREADS when set (by `env` or the user), else
// its share of the CPUs, at least one. UserError when OMP_NUM_THREADS is no count.
LaunchPlan plan_local(const Job& job, const Host& host, const Environment& environment);

}  // namespace tradewind::launcher
