// How the ranks of a run find each other: through a key-value store which rank 0 serves at the master address and port.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/errors.h"

namespace c10d {
class Store;
}

namespace tradewind::dist {

struct Rendezvous {
  int rank = 0, world_size = 1;
  std::string master_address;
  std::uint16_t master_port = 0;
  // Rank 0: a socket that already listens at the master port; taken over. Without it rank 0 binds the port itself.
  std::optional<int> listening_descriptor;
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

// "master 10.0.0.1:29500", for errors.
std::string master_of(const Rendezvous& rendezvous);

// What every rank knows once all have come.
struct Meeting {
  c10::intrusive_ptr<c10d::Store> store;
  std::string address;  // this rank's, numeric, as peers can reach it
};

// Blocks until all ranks have come. Throws RanksMissing naming them, EnvironmentFault when the master cannot be
// reached, the port is taken or a rank comes twice (two runs at one port), InternalFault for an impossible rank.
Meeting meet(const Rendezvous& rendezvous);

}  // namespace tradewind::dist
