// Where ranks gather before they connect with each other: implements the rendezvous on c10d's TCPStore.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "worker/dist/rendezvous.h"

namespace tradewind::dist {

// "master 10.0.0.1:29500", for errors.
std::string master_of(const Rendezvous& rendezvous);

// What a rank knows once all have come.
struct Meeting {
  c10::intrusive_ptr<c10d::Store> store;
  std::string address;  // this rank's, numeric, as peers can reach it
};

// Blocks until all ranks have come. Throws RanksMissing naming them, ConnectionFault when the master cannot be reached
// or goes (most often since rank 0 has ended), EnvironmentFault when the port is taken or a rank comes twice (two runs
// at one port), InternalFault for an impossible rank.
Meeting meet(const Rendezvous& rendezvous);

}  // namespace tradewind::dist
