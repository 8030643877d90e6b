// What is asked of this host's network, as a value, so that tests bring another one.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tradewind::launcher {

// One address of an interface.
struct InterfaceAddress {
  std::string interface;  // eth0
  std::string address;    // numeric; an IPv6 link-local one with its scope
  bool up = true;
  bool operator==(const InterfaceAddress&) const = default;
};

struct Network {
  std::string host;  // this host's own name
  // Numeric addresses of a name or an address, IPv4 first. EnvironmentFault when it does not resolve, or not within 3
  // s.
  std::function<std::vector<std::string>(const std::string& name)> resolve;
  // Every address of this host; an interface without any has one entry with an empty address.
  std::function<std::vector<InterfaceAddress>()> interfaces;
  // The address of this host from which packets to that numeric address would leave; empty when there is no route.
  std::function<std::string(const std::string& address)> towards;
};
Network network_of_host();

bool is_loopback(const std::string& address);

}  // namespace tradewind::launcher
