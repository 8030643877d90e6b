// Where the ranks of a run meet: MASTER_ADDR and MASTER_PORT when given, each alone too, else an address of rank 0's
// host that the others reach and a port that is taken at once, so that no other run can have it.
#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/clusters/cluster.h"
#include "launcher/launch/network.h"
#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

struct MeetingPlace {
  std::string address;  // for the other ranks: numeric, or as MASTER_ADDR gives it
  int port = 0;
  Descriptor listener;  // bound and listening; invalid when somebody else's store serves there
};

// The interfaces that are asked for: --interface, else GLOO_SOCKET_IFNAME (names by comma), else NCCL_SOCKET_IFNAME
// (beginnings of names; `=eth0` exactly; `^docker` all but those). Empty: any.
struct InterfaceChoice {
  std::string list;
  std::string source;  // who asks, for errors
  bool nccl_rules = false;
};
InterfaceChoice interface_choice(const std::string& option, const Environment& environment);
// The addresses of this host's interfaces that the choice leaves, IPv4 first, loopback only when it is asked for by
// name. EnvironmentFault naming what is missing, down or without an address.
std::vector<InterfaceAddress> chosen_addresses(const InterfaceChoice& choice, const Network& network);

// For the launcher that owns rank 0. `one_host`: all ranks run on this host. EnvironmentFault naming the exact cause:
// a name that does not resolve, an address that is not this host's, a port that is taken, an interface that is down.
MeetingPlace open_meeting_place(const Placement& placement, bool one_host, const InterfaceChoice& choice,
                                const Network& network);
// For the launchers of other ranks: the same mistakes as far as they show here.
void check_meeting_place(const Placement& placement, const InterfaceChoice& choice, const Network& network);

}  // namespace tradewind::launcher
