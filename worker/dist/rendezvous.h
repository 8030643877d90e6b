// How the ranks of a run find each other: what a rank knows before it looks into the store through which they meet.
// Plain values.
#pragma once

#include <chrono>
#include <string>

#include "common/errors.h"

namespace tradewind::dist {

struct Rendezvous {
  int rank = 0, world_size = 1;
  std::string master_address;  // of rank 0's host
  // Network interfaces, by name and comma-separated (GLOO_SOCKET_IFNAME). Empty: the one that leads to the master's
  // host.
  std::string interfaces;
  std::chrono::milliseconds join_timeout{300'000};  // for all ranks to come
  std::chrono::milliseconds timeout{600'000};       // for one collective
};

// Not all ranks came in time.
class RanksMissing : public EnvironmentFault {
 public:
  using EnvironmentFault::EnvironmentFault;
  ExitCode exit_code() const override { return ExitCode::ranks_missing; }
};

}  // namespace tradewind::dist
