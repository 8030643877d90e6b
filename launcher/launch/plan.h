// Which workers to start, and how: ranks on this host, threads of each, environment, rendezvous.
#pragma once

#include <exception>
#include <map>
#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/clusters/cluster.h"
#include "launcher/launch/cpus.h"
#include "launcher/process/spawn.h"
#include "proto/control.h"

namespace tradewind::launcher {

inline constexpr const char* exec_command = "exec";

// What every rank is to do.
struct Job {
  std::string command;  // run, predict, compare, exec
  proto::Json arguments;
  int world_size = 1;
  std::map<std::string, std::string> environment;  // the config's `env`, on top of ours
  std::map<std::string, int> streams = {};         // of this process, for rank 0 to write to: path -> descriptor
};

// What is known of this host.
struct Host {
  std::string name;
  std::string worker;          // path of tradewind-worker
  std::vector<int> cpus = {};  // that this process may use; empty: ask, for the quota too
  Quota quota = {};
};
// TRADEWIND_WORKER, else the one of worker_program.h. EnvironmentFault when there is none.
Host this_host(const Environment& environment);
// The same for whoever may not need a worker: it is left empty, and found when plans are made.
Host host_by_name();

// How to start one rank.
struct RankPlan {
  Spawn spawn;
  proto::Start start;
};

// The ranks that one launcher process starts.
struct Seats {
  std::vector<int> ranks, local_ranks;
  int local_size = 0;          // ranks on this host that share its CPUs; 0: unknown
  bool started_apart = false;  // each by somebody else, who may have dealt out the CPUs
  // Of rank 0, where it is among them: the address by which others know its host; empty: to be found.
  std::string master_address = {};
  // Of a controller that owns rank 0: on which it is to listen for the agents of the others.
  Descriptor listener = {};
  // Of rank 0's host: the port that is kept free for a program of ranks (reserved_port.h); not valid: none.
  Descriptor program_port = {};
  std::map<std::string, int> streams = {};  // for rank 0, where it is among them
  // Why they cannot be taken: plan_ranks() throws it, so that the controller hears of it as of any other failed start.
  std::exception_ptr fault = {};
};
// All ranks on this host. Errors: those of open_meeting_place().
Seats seats_of_host(int world_size);
Seats seats_of_host(const Placement& placement, const Environment& environment);
// The one rank that `placement` makes of this process; that of rank 0 comes with a listener when `controls`. Never
// throws: errors, as above and those of check_meeting_place(), become the fault.
Seats seat_of_member(const Placement& placement, const Environment& environment, bool controls);

// A plan per rank of the seats; hosts and the meeting place are those of `launch`. Threads of a rank and the CPUs it is
// pinned to: launch/cpus.h, with the variables of the config's `env` over the user's. Threads wait without spinning
// unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. UserError when OMP_NUM_THREADS is no count.
std::vector<RankPlan> plan_ranks(const proto::Launch& launch, const Host& host, const Environment& environment,
                                 Seats seats);

}  // namespace tradewind::launcher
