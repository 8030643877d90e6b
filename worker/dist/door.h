// The listening sockets of this process: once all ranks are connected, nobody else need come.
#pragma once

#include <set>

namespace tradewind::dist {

// Descriptors of the TCP sockets on which this process listens.
std::set<int> listening_sockets();
// Lets nobody connect to these any more; connections that there are stay. False when the system has no way to do so.
bool shut_doors(const std::set<int>& listeners);

}  // namespace tradewind::dist
