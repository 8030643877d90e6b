// The communicator of a run with several ranks, over c10d: Gloo on the CPU, and what `link` connects between devices.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <memory>

#include "worker/dist/communicator.h"
#include "worker/dist/device_link.h"
#include "worker/dist/rendezvous.h"

namespace c10d {
class Store;
}  // namespace c10d

namespace tradewind::dist {

// Collective: returns when all ranks are connected with each other. With one rank nothing is opened; with more, SIGPIPE
// is ignored in this process from then on, unless it has a handler.
// `store`: reached by all ranks and by nobody else; not needed with one rank. What is learnt there also shows that each
// connection leads to the rank that it should.
// Throws as meet() does, and EnvironmentFault when a connection between two ranks cannot be made.
// Dense tensors of any dtype can be moved, device_link.h says how those that are not on the CPU; sums exist for
// float64, float32, float16, bfloat16, int32, int64, bool.
std::unique_ptr<Communicator> make_process_group(const Rendezvous& rendezvous,
                                                 const c10::intrusive_ptr<c10d::Store>& store,
                                                 const DeviceLink& link = {});

}  // namespace tradewind::dist
