// Runs a function as every rank of a group: one thread per rank, connected as processes would be.
#pragma once

#include <functional>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <c10/util/intrusive_ptr.h>

#include "worker/dist/communicator.h"
#include "worker/dist/rendezvous.h"

namespace tradewind::testing {

// Of one rank on this host.
dist::Rendezvous rendezvous_of(int rank, int world_size);

// Throws what the first rank that fails throws; that a rank lost another only when no rank says more: it may come to
// know of the other's end before the other has said why. doctest's assertions may be used inside. `adjust` may change
// each rank's rendezvous. `store`: where they meet; a new one when there is none.
void run_ranks(int world_size, const std::function<void(dist::Communicator&)>& as_rank,
               const std::function<void(dist::Rendezvous&)>& adjust = {}, c10::intrusive_ptr<c10d::Store> store = {});

}  // namespace tradewind::testing
