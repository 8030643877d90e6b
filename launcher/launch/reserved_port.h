// A port of this host that is kept for a program which will listen at it itself: no other process is given it as a free
// one, for listening or for a connection, while it is kept. The program binds it with SO_REUSEADDR, as the stores of
// torch, gRPC and most servers do, which Linux allows as long as nobody listens there. Thread-safe.
#pragma once

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

// Bound to every address of this host and never listening; `port` 0: a free one (port_of() tells which).
// EnvironmentFault when that port is taken.
Descriptor reserve_port(int port);

}  // namespace tradewind::launcher
