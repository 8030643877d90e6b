#include "launcher/launch/meeting_place.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

// A host with two networks, one interface that is down and one without an address; sockets are those of this host.
Network network(std::map<std::string, std::vector<std::string>> names = {}) {
  return {.host = "alpha",
          .resolve =
              [names = std::move(names)](const std::string& name) {
                if (name.find_first_not_of("0123456789.:") == std::string::npos) return std::vector{name};
                const auto found = names.find(name);
                if (found == names.end())
                  throw EnvironmentFault("the name does not resolve: not known", name, "correct it");
                return found->second;
              },
          .interfaces =
              [] {
                return std::vector<InterfaceAddress>{{"lo", "127.0.0.1"},  {"lo", "::1"},
                                                     {"eth0", "10.0.0.1"}, {"eth0", "fe80::1%eth0"},
                                                     {"ib0", "10.1.0.1"},  {"eth1", "10.2.0.1", false},
                                                     {"bond0", ""}};
              },
          .towards = [](const std::string& address) { return address.starts_with("10.1.") ? "10.1.0.1" : "10.0.0.1"; }};
}

std::vector<std::string> addresses(const InterfaceChoice& choice) {
  std::vector<std::string> all;
  for (const auto& one : chosen_addresses(choice, network())) all.push_back(one.address);
  return all;
}

using Addresses = std::vector<std::string>;

}  // namespace

TEST_CASE("on one host ranks meet at a loopback port that is already theirs") {
  const MeetingPlace place = open_meeting_place({.world_size = 2}, true, {}, network());
  CHECK(place.address == "127.0.0.1");
  CHECK(place.port > 0);
  CHECK(port_of(place.listener) == place.port);
}

TEST_CASE("half given: the port, or the address") {
  MeetingPlace free = open_meeting_place({.world_size = 2}, true, {}, network());
  const int port = free.port;
  CHECK_THROWS_WITH_AS(open_meeting_place({.world_size = 2, .master_port = port}, true, {}, network()),
                       ("127.0.0.1:" + std::to_string(port) +
                        ": the port is taken on this host, where the ranks are to meet\n"
                        "  remedy: unset MASTER_PORT: a free port is found then; or choose another")
                           .c_str(),
                       EnvironmentFault);
  free.listener.reset();
  CHECK(open_meeting_place({.world_size = 2, .master_port = port}, true, {}, network()).port == port);
  const MeetingPlace place = open_meeting_place({.world_size = 2, .master_address = "localhost"}, true, {},
                                                network({{"localhost", {"127.0.0.1", "::1"}}}));
  CHECK(place.address == "localhost");
  CHECK(place.port > 0);
  CHECK(address_of(place.listener) == "127.0.0.1");
}

TEST_CASE("an IPv6 address") {
  const MeetingPlace place = open_meeting_place({.world_size = 2, .master_address = "::1"}, true, {}, network());
  CHECK(address_of(place.listener) == "::1");
}

TEST_CASE("a name that is only 127.0.1.1 here is served on every address when others come from elsewhere") {
  const auto debian = network({{"alpha", {"127.0.1.1"}}});
  const MeetingPlace place = open_meeting_place({.world_size = 2, .master_address = "alpha"}, false, {}, debian);
  CHECK(address_of(place.listener).empty());
  CHECK(address_of(open_meeting_place({.world_size = 2, .master_address = "alpha"}, true, {}, debian).listener) ==
        "127.0.1.1");
}

TEST_CASE("wrong addresses are named") {
  CHECK_THROWS_WITH_AS(open_meeting_place({.world_size = 2, .master_address = "nowhere"}, false, {}, network()),
                       doctest::Contains("nowhere: the name does not resolve"), EnvironmentFault);
  CHECK_THROWS_WITH_AS(open_meeting_place({.world_size = 2, .master_address = "10.9.9.9"}, false, {}, network()),
                       "MASTER_ADDR 10.9.9.9: is no address of alpha, where rank 0 runs\n"
                       "  remedy: set MASTER_ADDR to rank 0's host, or unset it",
                       EnvironmentFault);
  CHECK_THROWS_WITH_AS(open_meeting_place({.world_size = 2, .master_address = "10.2.0.1"}, false, {}, network()),
                       "MASTER_ADDR 10.2.0.1: the interface eth1, which holds that address, is down on alpha\n"
                       "  remedy: bring it up: ip link set eth1 up",
                       EnvironmentFault);
  Network without_loopback = network();
  without_loopback.interfaces = [] { return std::vector<InterfaceAddress>{{"lo", "", false}}; };
  CHECK_THROWS_WITH_AS(open_meeting_place({.world_size = 2}, true, {}, without_loopback),
                       doctest::Contains("127.0.0.1: the interface lo, which holds that address, is down on alpha"),
                       EnvironmentFault);
  CHECK_THROWS_AS(check_meeting_place({.master_address = "nowhere"}, {}, network()), EnvironmentFault);
  CHECK_NOTHROW(check_meeting_place({.master_address = "10.9.9.9"}, {}, network()));
}

TEST_CASE("what is loopback by name is not served to others") {
  for (const char* name : {"127.0.0.1", "localhost"}) {
    const MeetingPlace place = open_meeting_place({.world_size = 2, .master_address = name}, false, {},
                                                  network({{"localhost", {"127.0.0.1"}}}));
    CHECK(address_of(place.listener) == "127.0.0.1");
  }
}

TEST_CASE("a name of several addresses is served at each of them") {
  const auto both = network({{"alpha", {"127.0.0.2", "127.0.0.1"}},
                             {"outside", {"127.0.0.1", "10.0.0.1", "10.1.0.1"}},
                             {"twice", {"127.0.0.1", "127.0.0.1", "10.9.9.9"}}});
  CHECK(address_of(listen_by_name({"outside"}, 0, false, both)).empty());
  CHECK(address_of(listen_by_name({"outside"}, 0, true, both)) == "127.0.0.1");  // who comes from here gets there
  CHECK(address_of(listen_by_name({"127.0.0.2", "10.1.0.1"}, 0, false, both)).empty());
  CHECK(address_of(listen_by_name({"127.0.0.2", "127.0.0.1"}, 0, false, both)) == "127.0.0.2");  // a tunnel's ends
  CHECK(address_of(listen_by_name({"twice"}, 0, true, both)) == "127.0.0.1");
  const auto by_name = [&](const char* name, bool one_host) {
    const Placement placement{.world_size = 2, .master_address = name};
    return address_of(open_meeting_place(placement, one_host, {}, both).listener);
  };
  CHECK(by_name("outside", false).empty());
  CHECK(by_name("outside", true) == "127.0.0.1");
  CHECK(by_name("alpha", true) == "127.0.0.2");
}

TEST_CASE("several hosts, and nothing that tells which") {
  const MeetingPlace place = open_meeting_place({.world_size = 2}, false, {}, network());
  CHECK(place.address.empty());
  CHECK(address_of(place.listener).empty());
}

TEST_CASE("where a controller that is no rank's launcher listens") {
  const auto own = network({{"beta", {"127.0.0.1"}}, {"alpha", {"127.0.1.1"}}});
  CHECK(address_of(listen_for_hosts({.hosts = {"alpha"}}, own)) == "127.0.0.1");
  Network loop = own;
  loop.towards = [](const std::string&) { return std::string("127.0.0.1"); };
  CHECK(address_of(listen_for_hosts({.hosts = {"alpha", "beta"}}, loop)).empty());
  CHECK(address_of(listen_by_name({"beta"}, 0, true, own)) == "127.0.0.1");
  CHECK(address_of(listen_by_name({"alpha"}, 0, false, own)).empty());
  CHECK(address_of(listen_by_name({"10.9.9.9", "127.0.0.1"}, 0, false, own)) == "127.0.0.1");
  CHECK(address_of(listen_by_name({"nowhere"}, 0, false, own)).empty());
}

TEST_CASE("interfaces by name") {
  CHECK(addresses({}) == Addresses{"10.0.0.1", "10.1.0.1"});
  CHECK(addresses({"ib0", "--interface"}) == Addresses{"10.1.0.1"});
  CHECK(addresses({"eth0", "--interface"}) == Addresses{"10.0.0.1", "fe80::1%eth0"});
  CHECK(addresses({"ib0,eth0", "GLOO_SOCKET_IFNAME"}) == Addresses{"10.0.0.1", "10.1.0.1", "fe80::1%eth0"});
  CHECK(addresses({"lo", "--interface"}) == Addresses{"127.0.0.1", "::1"});
  CHECK(addresses({"e,i", "NCCL_SOCKET_IFNAME", true}) == Addresses{"10.0.0.1", "10.1.0.1", "fe80::1%eth0"});
  CHECK(addresses({"=ib0", "NCCL_SOCKET_IFNAME", true}) == Addresses{"10.1.0.1"});
  CHECK(addresses({"^eth", "NCCL_SOCKET_IFNAME", true}) == Addresses{"10.1.0.1"});
  CHECK_THROWS_WITH_AS(addresses({"eth1", "--interface"}),
                       "--interface eth1: the interface is down on alpha\n"
                       "  remedy: interfaces of this host: lo, eth0, ib0, eth1, bond0",
                       EnvironmentFault);
  CHECK_THROWS_WITH_AS(addresses({"eth7", "GLOO_SOCKET_IFNAME"}),
                       doctest::Contains("GLOO_SOCKET_IFNAME eth7: there is no such interface on alpha"),
                       EnvironmentFault);
  CHECK_THROWS_WITH_AS(addresses({"bond0", "--interface"}), doctest::Contains("has no address"), EnvironmentFault);
}

TEST_CASE("whose choice of interface counts") {
  const Environment both({{"GLOO_SOCKET_IFNAME", "a"}, {"NCCL_SOCKET_IFNAME", "b"}});
  CHECK(interface_choice("c", both).list == "c");
  CHECK(interface_choice("", both).list == "a");
  CHECK(interface_choice("", Environment(std::map<std::string, std::string>{{"NCCL_SOCKET_IFNAME", "b"}})).nccl_rules);
  CHECK(interface_choice("", Environment()).list.empty());
}

TEST_CASE("this host's own network") {
  const Network own = network_of_host();
  CHECK(own.resolve("127.0.0.1") == Addresses{"127.0.0.1"});
  CHECK(own.towards("127.0.0.1") == "127.0.0.1");
  CHECK_THROWS_AS(own.resolve("no-such-host.invalid"), EnvironmentFault);
  bool loopback = false;
  for (const InterfaceAddress& one : own.interfaces()) loopback = loopback || one.address == "127.0.0.1";
  CHECK(loopback);
}
