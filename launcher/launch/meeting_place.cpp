#include "launcher/launch/meeting_place.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>

#include "common/errors.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr const char* loopback = "127.0.0.1";
constexpr const char* any_address = "::";
constexpr const char* master_port = "MASTER_PORT";

bool matches(const InterfaceChoice& choice, const std::string& interface) {
  std::string list = choice.list;
  bool exact = !choice.nccl_rules, but = false;
  if (choice.nccl_rules && list.starts_with("^")) but = true, list.erase(0, 1);
  if (choice.nccl_rules && list.starts_with("=")) exact = true, list.erase(0, 1);
  std::istringstream names(list);
  bool found = false;
  for (std::string name; std::getline(names, name, ',');)
    found = found || (exact ? interface == name : interface.starts_with(name));
  return found != but;
}

// `variable`: where the port comes from.
[[noreturn]] void cannot_listen(const std::string& variable, const std::string& address, int port, int error) {
  const std::string where = address + ":" + std::to_string(port);
  if (error == EADDRINUSE)
    throw EnvironmentFault("the port is taken on this host, where the ranks are to meet", where,
                           "unset " + variable + ": a free port is found then; or choose another");
  if (error == EACCES)
    throw EnvironmentFault("only root may listen at that port", where, "choose a " + variable + " from 1024 to 65535");
  throw EnvironmentFault(std::string("cannot listen for the ranks to meet: ") + std::strerror(error), where,
                         remedy_for(error, "check MASTER_ADDR, or name an interface that is up with --interface"));
}

// The port that was found is written to `port` when it is 0.
Descriptor listen_at(const std::string& variable, const std::string& address, int& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    cannot_listen(variable, address, port, EADDRNOTAVAIL);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() && address == any_address) return listen_at(variable, "0.0.0.0", port);  // a host without IPv6
  if (!socket.valid()) cannot_listen(variable, address, port, errno);
  const int on = 1, off = 0;
  // A run that ended a moment ago may still have connections that linger at the port.
  if (port != 0) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
    if (errno == EADDRNOTAVAIL && address == any_address) return listen_at(variable, "0.0.0.0", port);
    cannot_listen(variable, address, port, errno);
  }
  port = port_of(socket);
  return socket;
}

// A host often knows its own name as 127.0.1.1, while others know it by an address they can reach. What is loopback by
// what the user wrote is meant to be.
bool is_hidden(const std::string& name, const std::string& address, bool one_host) {
  return is_loopback(address) && !one_host && !is_loopback(name) && name != "localhost";
}

bool is_own(const std::string& address, const Network& network) {
  if (is_loopback(address)) return true;
  const auto all = network.interfaces();
  return std::any_of(all.begin(), all.end(), [&](const InterfaceAddress& one) { return one.address == address; });
}

// Of own addresses by a name, the one to listen at. Whoever comes from another host tries any of them, and may reach
// one only: every address then.
std::string where_to_listen(std::vector<std::string> own, bool one_host) {
  const bool inside = one_host || std::all_of(own.begin(), own.end(), is_loopback);
  std::string& first = own.front();
  const bool same = std::all_of(own.begin(), own.end(), [&](const std::string& one) { return one == first; });
  return inside || same ? std::move(first) : any_address;
}

// An address stays with an interface that is down, and cannot be listened at.
void check_up(const std::string& address, const std::string& where, const Network& network) {
  for (const InterfaceAddress& one : network.interfaces())
    if (!one.up && (one.address == address || (is_loopback(address) && one.interface == "lo")))
      throw EnvironmentFault(
          "the interface " + one.interface + ", which holds that address, is down on " + network.host, where,
          "bring it up: ip link set " + one.interface + " up");
}

std::vector<std::string> quietly_resolved(const std::string& name, const Network& network) {
  try {
    return network.resolve(name);
  } catch (const EnvironmentFault&) {
    return {};
  }
}

// The way to another host of the run shows which interface leads there; empty when it does not.
std::string address_towards(const std::vector<std::string>& hosts, const Network& network) {
  for (const std::string& host : hosts) {
    if (host == network.host) continue;
    for (const std::string& address : quietly_resolved(host, network)) {
      std::string own = network.towards(address);
      if (!own.empty() && !is_loopback(own)) return own;
    }
    break;
  }
  return {};
}

// An address of this host that the hosts of the other ranks reach.
std::string own_address(const Placement& placement, const InterfaceChoice& choice, const Network& network) {
  const auto addresses = chosen_addresses(choice, network);
  if (!choice.list.empty()) return addresses.front().address;
  // The first is rank 0's: this one, maybe by another name.
  std::vector<std::string> others;
  for (const std::string& host : placement.hosts)
    if (host != placement.hosts.front()) others.push_back(host);
  if (std::string own = address_towards(others, network); !own.empty()) return own;
  for (const std::string& address : quietly_resolved(network.host, network))
    if (!is_loopback(address) && is_own(address, network)) return address;
  if (addresses.empty())
    throw EnvironmentFault("no interface of this host is up with an address that other hosts could reach", network.host,
                           "bring one up, or name it with --interface");
  return addresses.front().address;
}

}  // namespace

InterfaceChoice interface_choice(const std::string& option, const Environment& environment) {
  if (!option.empty()) return {option, "--interface"};
  if (const auto gloo = environment.get_or("GLOO_SOCKET_IFNAME", ""); !gloo.empty())
    return {gloo, "GLOO_SOCKET_IFNAME"};
  if (const auto nccl = environment.get_or("NCCL_SOCKET_IFNAME", ""); !nccl.empty())
    return {nccl, "NCCL_SOCKET_IFNAME", true};
  return {};
}

std::vector<InterfaceAddress> chosen_addresses(const InterfaceChoice& choice, const Network& network) {
  std::vector<InterfaceAddress> all = network.interfaces(), chosen;
  bool exists = false, up = false;
  for (const InterfaceAddress& one : all) {
    if (!choice.list.empty() && !matches(choice, one.interface)) continue;
    exists = true;
    up = up || one.up;
    const bool link_local = one.address.starts_with("fe80:");
    const bool asked_for = !choice.list.empty() && !(choice.nccl_rules && choice.list.starts_with("^"));
    if (!one.up || one.address.empty() || (!asked_for && (link_local || is_loopback(one.address)))) continue;
    chosen.push_back(one);
  }
  std::stable_partition(chosen.begin(), chosen.end(),
                        [](const InterfaceAddress& one) { return one.address.find(':') == std::string::npos; });
  if (!choice.list.empty() && chosen.empty()) {
    std::string names;
    for (const InterfaceAddress& one : all)
      if (names.find(one.interface) == std::string::npos) names += (names.empty() ? "" : ", ") + one.interface;
    const std::string what = !exists ? "there is no such interface on " + network.host
                             : !up   ? "the interface is down on " + network.host
                                     : "the interface has no address on " + network.host;
    throw EnvironmentFault(what, choice.source + " " + choice.list, "interfaces of this host: " + names);
  }
  return chosen;
}

MeetingPlace open_meeting_place(const Placement& placement, bool one_host, const InterfaceChoice& choice,
                                const Network& network) {
  MeetingPlace meeting{.address = placement.master_address, .port = placement.master_port, .listener = {}};
  if (meeting.address.empty()) {
    if (one_host && choice.list.empty()) {
      meeting.address = loopback;
      check_up(loopback, loopback, network);
      meeting.listener = listen_at(master_port, loopback, meeting.port);
      return meeting;
    }
    // Where nothing tells who the others are, any address of this host may be the one that leads here.
    if (!choice.list.empty() || !placement.hosts.empty()) meeting.address = own_address(placement, choice, network);
    meeting.listener = listen_at(master_port, meeting.address.empty() ? any_address : meeting.address, meeting.port);
    return meeting;
  }
  std::vector<std::string> own;
  for (const std::string& address : network.resolve(meeting.address))
    if (is_own(address, network)) own.push_back(address);
  if (own.empty())
    throw EnvironmentFault("is no address of " + network.host + ", where rank 0 runs", "MASTER_ADDR " + meeting.address,
                           "set MASTER_ADDR to rank 0's host, or unset it");
  check_up(own.front(), "MASTER_ADDR " + meeting.address, network);
  const bool hidden = is_hidden(meeting.address, own.front(), one_host);
  meeting.listener = listen_at(master_port, hidden ? any_address : where_to_listen(own, one_host), meeting.port);
  return meeting;
}

Descriptor listen_on(const std::string& address, int port) {
  return listen_at("TRADEWIND_CONTROL", address.empty() ? any_address : address, port);
}

Descriptor listen_by_name(const std::vector<std::string>& names, int port, bool one_host, const Network& network) {
  std::vector<std::string> own;
  for (const std::string& name : names)
    for (const std::string& address : quietly_resolved(name, network))
      if (is_own(address, network) && !is_hidden(name, address, one_host)) own.push_back(address);
  return listen_on(own.empty() ? std::string() : where_to_listen(std::move(own), one_host), port);
}

Descriptor listen_for_hosts(const Placement& placement, const Network& network) {
  int port = placement.master_port;
  if (placement.hosts.size() == 1 && placement.hosts.front() == network.host)
    return listen_at(master_port, loopback, port);
  const std::string own = address_towards(placement.hosts, network);
  return listen_at(master_port, own.empty() ? any_address : own, port);
}

int port_of(const Descriptor& listener) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (!listener.valid() || ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

std::string address_of(const Descriptor& listener) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  auto* generic = reinterpret_cast<sockaddr*>(&bound);
  std::array<char, NI_MAXHOST> text{};
  if (!listener.valid() || ::getsockname(listener.get(), generic, &length) != 0 ||
      ::getnameinfo(generic, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  const std::string address = text.data();
  return address == any_address || address == "0.0.0.0" ? std::string() : address;
}

void check_meeting_place(const Placement& placement, const InterfaceChoice& choice, const Network& network) {
  if (!choice.list.empty()) chosen_addresses(choice, network);
  if (!placement.master_address.empty()) network.resolve(placement.master_address);
}

}  // namespace tradewind::launcher
