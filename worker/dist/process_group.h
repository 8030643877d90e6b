// The communicator of a run with several ranks, over c10d's Gloo on the CPU.
#pragma once

#include <memory>

#include "worker/dist/communicator.h"
#include "worker/dist/rendezvous.h"

namespace tradewind::dist {

// Collective: returns when all ranks are connected with each other. With one rank nothing is opened; with more, SIGPIPE
// is ignored in this process from then on, unless it has a handler.
// Throws as meet() does, and EnvironmentFault when a connection between two ranks cannot be made.
// Dense CPU tensors of any dtype can be moved; sums exist for float64, float32, float16, bfloat16, int32, int64, bool.
std::unique_ptr<Communicator> make_process_group(const Rendezvous& rendezvous);

}  // namespace tradewind::dist
