// A program of ranks that knows nothing of Tradewind, as `tradewind exec` starts it: what every rank is to run, and how
// its process is set up. Errors: UserError, EnvironmentFault.
#pragma once

#include <string>
#include <vector>

#include "launcher/launch/plan.h"
#include "proto/control.h"

namespace tradewind::launcher {

struct Program {
  std::vector<std::string> words;  // name and arguments
  bool python = true;              // Python processes are given a sitecustomize that answers the watch
  bool own_cpus = false;           // a rank is pinned to CPUs that no other of its host has
  bool own_gpu = false;            // a rank sees one GPU only, by its local rank
};
proto::Json to_json(const Program& program);
// ProtocolError for JSON that is none.
Program program_of(const proto::Json& arguments);

// The file that `name` means to a shell whose PATH is `folders`. UserError when there is none that can be run.
std::string find_program(const std::string& name, const std::string& folders);

// Makes of the plan of a worker one of the program, with the rendezvous variables of torchrun. `given`: the
// environment of the agent, before the plan.
void turn_into(RankPlan& plan, const Program& program, const proto::Launch& launch, int local_size,
               const Environment& given);

// The entry of a list of devices that this rank takes (CUDA_VISIBLE_DEVICES, or all of the host's when it is not set).
std::string gpu_of(int local_rank, const std::optional<std::string>& visible);

}  // namespace tradewind::launcher
