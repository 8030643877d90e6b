#include "launcher/launch/network.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "common/errors.h"
#include "launcher/process/descriptor.h"

namespace tradewind::launcher {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

std::string numeric(const sockaddr* address) {
  std::array<char, NI_MAXHOST> text{};
  const socklen_t length = address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return text.data();
}

struct Answer {
  int error = 0;
  std::vector<std::string> addresses;
};

Answer ask(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Answer answer{.error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found)};
  if (answer.error != 0) return answer;
  const AddressList all(found, ::freeaddrinfo);
  for (const int family : {AF_INET, AF_INET6})
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
      if (one->ai_family == family) answer.addresses.push_back(numeric(one->ai_addr));
  return answer;
}

// A resolver whose servers are away blocks for much longer than a user should wait: it is left behind in its thread.
std::vector<std::string> resolve(const std::string& name) {
  constexpr std::chrono::seconds patience(3);
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  std::thread([promise, name] { promise->set_value(ask(name)); }).detach();
  if (answer.wait_for(patience) != std::future_status::ready)
    throw EnvironmentFault("no answer from the name service within 3 s", name,
                           "check /etc/resolv.conf and its servers, or give an address instead of the name");
  const Answer result = answer.get();
  if (result.error != 0)
    throw EnvironmentFault(std::string("the name does not resolve: ") + ::gai_strerror(result.error), name,
                           "correct the name, or give an address instead");
  return result.addresses;
}

std::vector<InterfaceAddress> interfaces() {
  ifaddrs* found = nullptr;
  std::vector<InterfaceAddress> all;
  if (::getifaddrs(&found) != 0) return all;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(found, ::freeifaddrs);
  for (const ifaddrs* one = found; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_RUNNING) != 0;
    const bool internet =
        one->ifa_addr != nullptr && (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6);
    if (internet) all.push_back({one->ifa_name, numeric(one->ifa_addr), up});
    if (!internet && std::none_of(all.begin(), all.end(),
                                  [&](const InterfaceAddress& known) { return known.interface == one->ifa_name; }))
      all.push_back({one->ifa_name, "", up});
  }
  return all;
}

std::string towards(const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), "9", &hints, &found) != 0) return "";
  const AddressList all(found, ::freeaddrinfo);
  // Asks the routing table only: nothing is sent.
  const Descriptor probe(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  auto* raw = reinterpret_cast<sockaddr*>(&local);
  if (!probe.valid() || ::connect(probe.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::getsockname(probe.get(), raw, &length) != 0)
    return "";
  return numeric(raw);
}

}  // namespace

Network network_of_host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return {name.data(), resolve, interfaces, towards};
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

}  // namespace tradewind::launcher
