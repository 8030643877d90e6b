#include "launcher/launch/plan.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

const Host host{.name = "h", .worker = "/opt/tradewind-worker", .cpus = {0, 1, 2, 3, 4, 5, 6, 7}};

Environment variables(std::map<std::string, std::string> values) { return Environment(std::move(values)); }

std::vector<RankPlan> plan_of_host(const proto::Launch& launch, const Environment& environment) {
  return plan_ranks(launch, host, environment, seats_of_host(launch.world_size));
}

}  // namespace

TEST_CASE("a rank elsewhere has no listener") {
  Seats seats{.ranks = {5}, .local_ranks = {1}, .local_size = 4};
  const auto plans = plan_ranks({.world_size = 8}, host, Environment(), std::move(seats));
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].start.rank == 5);
  CHECK(plans[0].start.local_rank == 1);
  CHECK(plans[0].start.threads == 2);
  CHECK(plans[0].spawn.cpus == std::vector<int>{2, 3});
  CHECK(plans[0].start.listen_descriptor == -1);
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
  CHECK(only.start.listen_descriptor == -1);
  CHECK_FALSE(only.spawn.listener.valid());
}

TEST_CASE("several ranks share the CPUs and meet at a port that is already taken for them") {
  Seats seats = seats_of_host(3);
  CHECK(seats.ranks == std::vector<int>{0, 1, 2});
  CHECK(seats.local_size == 3);
  const int port = port_of(seats.listener);
  CHECK(port > 0);
  const std::vector<RankPlan> ranks = plan_ranks({.world_size = 3, .master_address = "10.0.0.1", .master_port = 4711},
                                                 host, Environment(), std::move(seats));
  REQUIRE(ranks.size() == 3);
  REQUIRE(ranks[0].spawn.listener.valid());
  CHECK(port_of(ranks[0].spawn.listener) == port);
  for (int i = 0; i < 3; ++i) {
    const RankPlan& rank = ranks[static_cast<std::size_t>(i)];
    CHECK(rank.start.rank == i);
    CHECK(rank.start.local_rank == i);
    CHECK(rank.start.world_size == 3);
    CHECK(rank.start.threads == 2);
    CHECK(rank.start.master_address == "10.0.0.1");
    CHECK(rank.start.master_port == 4711);
    CHECK(rank.start.listen_descriptor == (i == 0 ? 4 : -1));
    CHECK(rank.spawn.listener.valid() == (i == 0));
  }
}

TEST_CASE("MASTER_ADDR and MASTER_PORT win") {
  const Seats seats = seats_of_host({.world_size = 2, .master_address = "localhost"}, Environment());
  CHECK(seats.master_address == "localhost");
  CHECK(seats.master_port == port_of(seats.listener));
  CHECK(seats.master_port > 0);
  // The port is taken now.
  CHECK_THROWS_AS(seats_of_host({.world_size = 2, .master_port = seats.master_port}, Environment()), EnvironmentFault);
  const Seats member =
      seat_of_member({.mode = PlacementMode::member, .world_size = 4, .rank = 3, .local_rank = 1}, Environment());
  CHECK(member.ranks == std::vector<int>{3});
  CHECK(member.local_ranks == std::vector<int>{1});
  CHECK_FALSE(member.listener.valid());
  CHECK(member.started_apart);
  Seats lost = seat_of_member({.mode = PlacementMode::member, .world_size = 4, .master_address = "no-host.invalid"},
                              Environment());
  CHECK_THROWS_AS(plan_ranks({.world_size = 4}, host, Environment(), std::move(lost)), EnvironmentFault);
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
