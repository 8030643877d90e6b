#include "launcher/launch/plan.h"

#include <doctest/doctest.h>

#include "common/errors.h"
#include "launcher/launch/meeting_place.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

const Host host{.name = "h", .worker = "/opt/tradewind-worker", .cpus = {0, 1, 2, 3, 4, 5, 6, 7}};

Environment variables(std::map<std::string, std::string> values) { return Environment(std::move(values)); }

std::vector<RankPlan> plan_of_host(const proto::Launch& launch, const Environment& environment) {
  return plan_ranks(launch, host, environment, seats_of_host(launch.world_size));
}

}  // namespace

TEST_CASE("a rank elsewhere") {
  Seats seats{.ranks = {5}, .local_ranks = {1}, .local_size = 4};
  const auto plans = plan_ranks({.world_size = 8}, host, Environment(), std::move(seats));
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].start.rank == 5);
  CHECK(plans[0].start.local_rank == 1);
  CHECK(plans[0].start.threads == 2);
  CHECK(plans[0].spawn.cpus == std::vector<int>{2, 3});
}

TEST_CASE("a run that may be started again keeps its state in the run folder") {
  proto::Launch launch{.command = "run", .run_folder = "/runs/1"};
  CHECK(plan_ranks(launch, host, variables({}), seats_of_host(1)).front().start.restart_folder.empty());
  launch.restarts = true;
  launch.resume = true;
  const proto::Start start = plan_ranks(launch, host, variables({}), seats_of_host(1)).front().start;
  CHECK(start.restart_folder == "/runs/1/restart");
  CHECK(start.resume);
}

TEST_CASE("one rank needs no meeting place and gets all CPUs") {
  const std::vector<RankPlan> ranks =
      plan_ranks({.command = "run", .arguments = {{"a", 1}}}, host, variables({{"HOME", "/h"}}), seats_of_host(1));
  REQUIRE(ranks.size() == 1);
  const RankPlan& only = ranks.front();
  CHECK(only.spawn.executable == "/opt/tradewind-worker");
  CHECK(only.spawn.arguments == std::vector<std::string>{"--channel", "3"});
  CHECK(only.spawn.environment ==
        std::map<std::string, std::string>{{"HOME", "/h"}, {"OMP_NUM_THREADS", "8"}, {"OMP_WAIT_POLICY", "passive"}});
  CHECK(only.spawn.ignores_signals_to_launcher);
  CHECK(only.start.command == "run");
  CHECK(only.start.arguments.dump() == R"({"a":1})");
  CHECK(only.start.threads == 8);
  CHECK(only.start.master_address.empty());
}

TEST_CASE("several ranks share the CPUs, and no port is opened for them") {
  Seats seats = seats_of_host(3);
  CHECK(seats.ranks == std::vector<int>{0, 1, 2});
  CHECK(seats.local_size == 3);
  CHECK(seats.master_address == "127.0.0.1");
  CHECK_FALSE(seats.listener.valid());
  const std::vector<RankPlan> ranks =
      plan_ranks({.world_size = 3, .master_address = "10.0.0.1"}, host, Environment(), std::move(seats));
  REQUIRE(ranks.size() == 3);
  for (int i = 0; i < 3; ++i) {
    const RankPlan& rank = ranks[static_cast<std::size_t>(i)];
    CHECK(rank.start.rank == i);
    CHECK(rank.start.local_rank == i);
    CHECK(rank.start.world_size == 3);
    CHECK(rank.start.threads == 2);
    CHECK(rank.start.master_address == "10.0.0.1");
  }
}

TEST_CASE("on one host NCCL listens on loopback, unless the user says where") {
  const auto of = [](const std::vector<std::string>& hosts, const Environment& environment) {
    const auto plans = plan_ranks({.world_size = 2, .hosts = hosts}, host, environment, seats_of_host(2));
    const auto& variables = plans.front().spawn.environment;
    const auto found = variables.find("NCCL_SOCKET_IFNAME");
    return found == variables.end() ? std::string() : found->second;
  };
  CHECK(of({"a", "a"}, Environment()) == "=lo");
  CHECK(of({"a", "b"}, Environment()).empty());
  CHECK(of({"a", "a"}, variables({{"GLOO_SOCKET_IFNAME", "lo"}})).empty());
  CHECK(of({"a", "a"}, variables({{"NCCL_SOCKET_IFNAME", "lo"}})) == "lo");
  // Two hosts of one name, each with one of the ranks.
  const auto apart = plan_ranks({.world_size = 2, .hosts = {"a", "a"}}, host, Environment(),
                                {.ranks = {0}, .local_ranks = {0}, .local_size = 1, .started_apart = true});
  CHECK_FALSE(apart.front().spawn.environment.contains("NCCL_SOCKET_IFNAME"));
}

TEST_CASE("MASTER_ADDR and MASTER_PORT win") {
  const auto member = [](Placement placement, bool controls = true) {
    placement.mode = PlacementMode::member;
    return seat_of_member(placement, Environment(), controls);
  };
  CHECK(seats_of_host({.world_size = 2, .master_address = "localhost"}, Environment()).master_address == "localhost");
  const Seats first = member({.world_size = 2, .master_address = "localhost"});
  CHECK_FALSE(first.fault);
  CHECK(first.master_address == "localhost");
  CHECK((address_of(first.listener) == "127.0.0.1" || address_of(first.listener) == "::1"));
  // The port is taken now.
  const int port = port_of(first.listener);
  CHECK_THROWS_AS(seats_of_host({.world_size = 2, .master_port = port}, Environment()), EnvironmentFault);
  CHECK(member({.world_size = 2, .master_address = "localhost", .master_port = port}).fault);
  // It is the controller's, not that of a rank which srun has started for it.
  const Seats started = member({.world_size = 2, .master_address = "localhost", .master_port = port}, false);
  CHECK_FALSE(started.fault);
  CHECK_FALSE(started.listener.valid());
  const Seats other = member({.world_size = 4, .rank = 3, .local_rank = 1});
  CHECK(other.ranks == std::vector<int>{3});
  CHECK(other.local_ranks == std::vector<int>{1});
  CHECK_FALSE(other.listener.valid());
  CHECK(other.started_apart);
  Seats lost = member({.world_size = 4, .master_address = "no-host.invalid"});
  CHECK_THROWS_AS(plan_ranks({.world_size = 4}, host, Environment(), std::move(lost)), EnvironmentFault);
}

TEST_CASE("where the controller of a rank's launcher listens when nothing is said") {
  const auto listens_at = [](const Placement& placement) {
    return address_of(seat_of_member(placement, Environment(), true).listener);
  };
  CHECK(listens_at({.world_size = 2, .local_size = 2}) == "127.0.0.1");
  CHECK(listens_at({.world_size = 2, .local_size = 1}).empty());  // nothing tells which address leads here
  // A store of torchrun's has the port.
  const Seats seats = seat_of_member(
      {.world_size = 2, .local_size = 2, .master_address = "localhost", .master_port = 1, .store_served = true},
      Environment(), true);
  CHECK_FALSE(seats.fault);
  CHECK(address_of(seats.listener) == "127.0.0.1");
  CHECK(seats.master_address.empty());
}

TEST_CASE("more ranks than CPUs still have a thread each") {
  CHECK(plan_of_host({.world_size = 20}, Environment()).front().start.threads == 1);
}

TEST_CASE("OMP_NUM_THREADS wins, the config's over the user's") {
  const Environment user = variables({{"OMP_NUM_THREADS", "5"}});
  CHECK(plan_of_host({}, user).front().start.threads == 5);
  const std::vector<RankPlan> ranks = plan_of_host({.environment = {{"OMP_NUM_THREADS", "3,2"}, {"X", "y"}}}, user);
  CHECK(ranks.front().start.threads == 3);
  CHECK(ranks.front().spawn.environment.at("OMP_NUM_THREADS") == "3,2");
  CHECK(ranks.front().spawn.environment.at("X") == "y");
  for (const char* bad : {"0", "-1", "many", "2x"})
    CHECK_THROWS_AS(plan_of_host({}, variables({{"OMP_NUM_THREADS", bad}})), UserError);
}

TEST_CASE("how threads wait is the user's choice when there is one") {
  const auto active = plan_of_host({}, variables({{"OMP_WAIT_POLICY", "active"}}));
  CHECK(active.front().spawn.environment.at("OMP_WAIT_POLICY") == "active");
  const auto counted = plan_of_host({.environment = {{"GOMP_SPINCOUNT", "9"}}}, Environment());
  CHECK_FALSE(counted.front().spawn.environment.contains("OMP_WAIT_POLICY"));
}

TEST_CASE("a worker that is not there is named") {
  CHECK_THROWS_WITH_AS(this_host(variables({{"TRADEWIND_WORKER", "/nowhere/worker"}})),
                       "/nowhere/worker: there is no worker to start: No such file or directory\n"
                       "  remedy: correct or unset TRADEWIND_WORKER",
                       EnvironmentFault);
}
