// Where the launchers of a run's ranks meet: at the controller, which listens at MASTER_ADDR and MASTER_PORT when
// given, each alone too, else at an address of its host that the others reach and a port that is taken at once, so that
// no other run can have it. On one host that address is loopback.
#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/clusters/cluster.h"
#include "launcher/launch/network.h"
#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

struct MeetingPlace {
  std::string address;  // for the other ranks: numeric, or as MASTER_ADDR gives it; empty: any of this host
  int port = 0;
  Descriptor listener;  // bound and listening
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
// For a controller that is no rank's launcher (it calls srun): loopback when the only host is this one, else the
// address of the way to the others. EnvironmentFault when it cannot.
Descriptor listen_for_hosts(const Placement& placement, const Network& network);
// The same for one that is told where to listen: at the names' only address of this host, at all when there are several
// or none.
Descriptor listen_by_name(const std::vector<std::string>& names, int port, bool one_host, const Network& network);
// At a numeric address, all when it is empty; port 0: a free one.
Descriptor listen_on(const std::string& address, int port);
int port_of(const Descriptor& listener);             // 0 when there is none
std::string address_of(const Descriptor& listener);  // numeric; empty: every address
// For the launchers of other ranks: the same mistakes as far as they show here.
void check_meeting_place(const Placement& placement, const InterfaceChoice& choice, const Network& network);

}  // namespace tradewind::launcher
