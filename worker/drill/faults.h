// The faults of a drill: what goes wrong in one rank, and when. Only the worker of drills holds this code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/env.h"
#include "worker/dist/communicator.h"

namespace tradewind::drill {

struct Fault {
  std::string name;
  int rank = 1;
  int step = 3;      // the step at whose decoder it happens
  std::string path;  // of faults that concern a file
};

// TRADEWIND_DRILL: `fault=NAME,rank=R,step=S,path=P`. UserError naming what is wrong with it.
Fault fault_from(const Environment& environment);

// Passes calls on until the fault is due on this rank, then lets it happen.
std::unique_ptr<dist::Communicator> with_fault(std::unique_ptr<dist::Communicator> inner, Fault fault);

}  // namespace tradewind::drill
