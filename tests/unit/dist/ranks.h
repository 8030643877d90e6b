// Runs a function as every rank of a group: one thread per rank, connected as processes would be.
#pragma once

#include <functional>

#include "worker/dist/communicator.h"
#include "worker/dist/rendezvous.h"

namespace tradewind::testing {

// A socket on 127.0.0.1 that listens at a free port: where a group of this process's ranks meets.
struct Listener {
  Listener();
  int descriptor;
  std::uint16_t port;
};

// The rendezvous of one rank at that port; the descriptor goes to rank 0.
dist::Rendezvous rendezvous_at(const Listener& listener, int rank, int world_size);

// Throws what the first rank that fails throws; that a rank lost another only when no rank says more: it may come to
// know of the other's end before the other has said why. doctest's assertions may be used inside. `adjust` may change
// each rank's rendezvous.
void run_ranks(int world_size, const std::function<void(dist::Communicator&)>& as_rank,
               const std::function<void(dist::Rendezvous&)>& adjust = {});

}  // namespace tradewind::testing
