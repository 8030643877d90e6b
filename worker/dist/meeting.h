// Where ranks gather before they connect with each other, through a store that all of them reach.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "worker/dist/rendezvous.h"

namespace tradewind::dist {

// "master 10.0.0.1", for errors.
std::string master_of(const Rendezvous& rendezvous);

// What a rank shows to another, so that the other knows who it is: one for each pair and direction, from a secret of
// the rank that all have read in the store.
inline constexpr std::size_t proof_bytes = 16;

// What a rank knows once all have come.
struct Meeting {
  std::string address;                // this rank's, numeric, as peers can reach it
  std::vector<std::string> shown;     // to each rank
  std::vector<std::string> expected;  // from each rank
};

// Blocks until all ranks have come. Throws RanksMissing naming them, ConnectionFault when the store goes,
// EnvironmentFault when a rank comes twice, InternalFault for an impossible rank.
Meeting meet(const Rendezvous& rendezvous, c10d::Store& store);

}  // namespace tradewind::dist
