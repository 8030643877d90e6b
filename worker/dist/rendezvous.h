// How the ranks of a run find each other: through a key-value store which rank 0 serves at the master address and port.
// Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/errors.h"

namespace tradewind::dist {

struct Rendezvous {
  int rank = 0, world_size = 1;
  std::string master_address;
  std::uint16_t master_port = 0;
  // Rank 0: a socket that already listens at the master port; taken over. Without it rank 0 binds the port itself.
  std::optional<int> listening_descriptor;
  // A store of somebody else (torchrun's agent) serves at the master port: rank 0 uses it like the others. It outlives
  // a run: each attempt has keys of its own.
  bool store_served = false;
  std::string attempt = "0";
  // Network interfaces, by name and comma-separated (GLOO_SOCKET_IFNAME). Empty: the one that reaches the master.
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
