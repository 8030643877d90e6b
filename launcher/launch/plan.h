// Which workers to start, and how: ranks on this host, threads of each, environment, rendezvous.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/agent/agent.h"

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

// A plan per rank. Several ranks meet at a port of 127.0.0.1 at which rank 0 already listens. Threads of a rank:
// OMP_NUM_THREADS when set (by `env` or the user), else its share of the CPUs, at least one. They wait without spinning
// unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. UserError when OMP_NUM_THREADS is no count.
std::vector<RankPlan> plan_local(const Job& job, const Host& host, const Environment& environment);

}  // namespace tradewind::launcher
