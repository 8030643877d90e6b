// The controller's decisions, by a fake clock.
#include "launcher/control/conductor.h"

#include <doctest/doctest.h>

#include <csignal>

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
using Kind = proto::Act::Kind;

namespace {

const TimePoint start{};

struct Nobody : Audience {
  void message(int, const proto::Message&) override {}
  void line(int rank, proto::Stream, const std::string& line) override { lines.push_back(std::to_string(rank) + line); }
  std::vector<std::string> lines;
};

proto::Join join(std::vector<int> ranks, const std::string& host, int world_size = 2) {
  return {.host = host, .pid = 7, .world_size = world_size, .ranks = std::move(ranks)};
}

const Route remote{"10.0.0.2", "10.0.0.1"};

// Orders of that kind, as the numbers of their agents.
template <typename Message>
std::vector<int> agents(const Orders& orders) {
  std::vector<int> found;
  for (const Order& order : orders)
    if (std::holds_alternative<Message>(order.message)) found.push_back(order.agent);
  return found;
}

std::vector<proto::Act> acts(const Orders& orders) {
  std::vector<proto::Act> found;
  for (const Order& order : orders)
    if (const auto* act = std::get_if<proto::Act>(&order.message)) found.push_back(*act);
  return found;
}

struct Run {
  explicit Run(int ranks = 2, std::vector<std::string> hosts = {})
      : conductor({.command = "run", .world_size = ranks}, std::move(hosts), Limits{}, nobody, start) {}
  // Agent 0 of this process with rank 0, agent 1 elsewhere with rank 1.
  Orders gather() {
    conductor.joined(0, join({0}, "a"), {}, start);
    return conductor.joined(1, join({1}, "b"), remote, start);
  }
  void greet(int rank) { conductor.heard(rank, proto::Said{rank, proto::Hello{.pid = 100 + rank}}, start); }
  void finish(int rank) {
    conductor.heard(rank, proto::Said{rank, proto::Finished{}}, start);
    conductor.heard(rank, proto::Ended{.rank = rank}, start);
  }
  Nobody nobody;
  Conductor conductor;
};

}  // namespace

TEST_CASE("ranks are launched when all have come, and told where to meet") {
  Run run;
  CHECK(run.conductor.joined(0, join({0}, "a"), {}, start).empty());
  const Orders orders = run.conductor.joined(1, join({1}, "b"), remote, start);
  CHECK(agents<proto::Welcome>(orders) == std::vector<int>{1});
  CHECK(agents<proto::Launch>(orders) == std::vector<int>{0, 1});
  const auto& launch = std::get<proto::Launch>(orders.back().message);
  CHECK(launch.master_address == "10.0.0.1");  // of this host, as the other one reached it
  CHECK(launch.hosts == std::vector<std::string>{"a", "b"});
}

TEST_CASE("where rank 0 is decides where the ranks meet") {
  const auto meeting = [](const std::string& first, const Route& to_first, const std::string& second,
                          const Route& to_second) {
    Gathering gathering(2, {}, 30s, start);
    CHECK_FALSE(gathering.came(1, join({0}, first), to_first, start));
    CHECK_FALSE(gathering.complete());
    CHECK_FALSE(gathering.came(2, join({1}, second), to_second, start));
    CHECK(gathering.complete());
    return gathering.master_address();
  };
  CHECK(meeting("a", {"10.0.0.1", "10.0.0.9"}, "a", {"10.0.0.1", "10.0.0.9"}) == "127.0.0.1");
  CHECK(meeting("a", {"10.0.0.1", "10.0.0.9"}, "b", {"10.0.0.2", "10.0.0.9"}) == "10.0.0.1");
  CHECK(meeting("a", {"127.0.0.1", "127.0.0.1"}, "b", {"10.0.0.2", "10.0.0.9"}) == "10.0.0.9");
}

TEST_CASE("the agent of rank 0 may name the meeting place") {
  Gathering gathering(2, {}, 30s, start);
  proto::Join first = join({0}, "a");
  first.master_address = "192.168.0.1";
  CHECK_FALSE(gathering.came(1, first, {}, start));
  CHECK_FALSE(gathering.came(2, join({1}, "b"), remote, start));
  CHECK(gathering.master_address() == "192.168.0.1");
}

TEST_CASE("where something else starts the ranks, the wait begins with the first that comes") {
  Gathering gathering(2, {}, 30s, TimePoint::max());
  CHECK(gathering.deadline() == TimePoint::max());
  CHECK_FALSE(gathering.came(1, join({0}, "a"), remote, start + 3600s));
  CHECK(gathering.deadline() == start + 3630s);
}

TEST_CASE("a given meeting place stays") {
  Nobody nobody;
  Conductor conductor({.world_size = 1, .master_address = "head"}, {}, Limits{}, nobody, start);
  const Orders orders = conductor.joined(0, join({0}, "a", 1), {}, start);
  CHECK(std::get<proto::Launch>(orders.front().message).master_address == "head");
}

TEST_CASE("who does not belong to the run is refused and does not disturb it") {
  Run run;
  run.conductor.joined(0, join({0}, "a"), {}, start);
  const auto refused = [&](const proto::Join& wish) {
    const Orders orders = run.conductor.joined(9, wish, remote, start);
    REQUIRE(orders.size() == 1);
    REQUIRE(std::holds_alternative<proto::Refused>(orders.front().message));
    return std::get<proto::Refused>(orders.front().message).what;
  };
  CHECK(refused(join({0}, "b")) == "rank 0 came twice, the first time from a (process 7)");
  CHECK(refused(join({2}, "b")) == "rank 2 of 2");
  CHECK(refused(join({}, "b")) == "this launcher has no rank");
  CHECK(refused(join({1}, "b", 3)) == "this launcher takes part in a run of 3 ranks, rank 0's in one of 2");
  proto::Join old = join({1}, "b");
  old.version = 99;
  CHECK(refused(old) == "this launcher speaks version 99 of the control protocol, rank 0's 2");
  CHECK_FALSE(run.conductor.over());
  CHECK(agents<proto::Launch>(run.conductor.joined(1, join({1}, "b"), remote, start)).size() == 2);
  CHECK(refused(join({1}, "c")) == "the run has begun, or is over");
}

TEST_CASE("who was turned away is told when a rank is missing") {
  Run run;
  run.conductor.joined(0, join({0}, "a"), {}, start);
  proto::Join old = join({1}, "b");
  old.version = 99;
  run.conductor.joined(9, old, remote, start);
  run.conductor.passed(start + 30s);
  CHECK(run.conductor.outcome().error->what ==
        "1 of 2 ranks came within 30 s; missing: 1; came from: a; turned away: b (this launcher speaks version 99 of "
        "the control protocol, rank 0's 2)");
}

TEST_CASE("ranks that do not come are counted, with their hosts") {
  Run run(3, {"a", "b", "c"});
  run.conductor.joined(0, join({0}, "a", 3), {}, start);
  run.conductor.joined(1, join({2}, "c", 3), remote, start);
  run.conductor.heard(1, proto::Alive{}, start + 29s);
  CHECK_FALSE(run.conductor.over());
  run.conductor.passed(start + 30s);
  REQUIRE(run.conductor.over());
  const Outcome outcome = run.conductor.outcome();
  CHECK(outcome.exit_code == 75);
  CHECK(outcome.error->what == "2 of 3 ranks came within 30 s; missing: 1; came from: a, c; nothing from: b");
  CHECK(outcome.ranks.at(2).host == "c");
  CHECK(agents<proto::Leave>(run.conductor.farewell()) == std::vector<int>{0, 1});
}

TEST_CASE("every agent leaves with the run's code") {
  Run run;
  run.gather();
  run.greet(0);
  run.greet(1);
  run.finish(0);
  CHECK_FALSE(run.conductor.over());
  run.finish(1);
  REQUIRE(run.conductor.over());
  CHECK(run.conductor.outcome().exit_code == 0);
  const Orders orders = run.conductor.farewell();
  REQUIRE(orders.size() == 2);
  CHECK(std::get<proto::Leave>(orders[1].message).exit_code == 0);
}

TEST_CASE("an agent that is silent for 5 s is lost, one that speaks is not") {
  Run run;
  run.gather();
  run.greet(0);
  run.greet(1);
  for (int second = 1; second <= 10; ++second) {
    const Orders orders = run.conductor.passed(start + std::chrono::seconds(second));
    CHECK(agents<proto::Alive>(orders) == std::vector<int>{1});
    run.conductor.heard(1, proto::Alive{}, start + std::chrono::seconds(second));
  }
  for (int second = 11; second < 15; ++second) run.conductor.passed(start + std::chrono::seconds(second));
  CHECK(acts(run.conductor.passed(start + 15s)) == std::vector<proto::Act>{{Kind::terminate, 0}});
  run.conductor.heard(0, proto::Ended{.rank = 0, .signal = SIGTERM}, start + 16s);
  REQUIRE(run.conductor.over());
  const Outcome outcome = run.conductor.outcome();
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.error->rank == 1);
  CHECK(outcome.error->what.find("the launcher of rank 1 on b is gone: nothing was heard of it for 5 s") == 0);
}

TEST_CASE("a controller that was stopped itself gives everybody their time again") {
  Run run;
  run.gather();
  run.greet(0);
  run.greet(1);
  run.conductor.passed(start + 1s);
  CHECK(acts(run.conductor.passed(start + 3600s)).empty());
  CHECK_FALSE(run.conductor.over());
  for (int second = 3601; second <= 3603; ++second) run.conductor.passed(start + std::chrono::seconds(second));
  CHECK_FALSE(run.conductor.over());
  CHECK(acts(run.conductor.passed(start + 3604s)).size() == 1);
}

TEST_CASE("an agent that ends takes its ranks with it") {
  Run run;
  SUBCASE("before the launch") {
    run.conductor.joined(1, join({1}, "b"), remote, start);
    run.conductor.lost(1, "the connection was closed", start);
    REQUIRE(run.conductor.over());
    CHECK(run.conductor.outcome().exit_code == 75);
  }
  SUBCASE("after the launch") {
    run.gather();
    CHECK(acts(run.conductor.lost(1, "the connection was closed", start)) ==
          std::vector<proto::Act>{{Kind::terminate, 0}});
    run.conductor.heard(0, proto::Ended{.rank = 0, .signal = SIGTERM}, start);
    REQUIRE(run.conductor.over());
    CHECK(run.conductor.outcome().error->what == "the launcher of rank 1 on b is gone: the connection was closed");
    CHECK(agents<proto::Leave>(run.conductor.farewell()) == std::vector<int>{0});
  }
}

TEST_CASE("an agent cannot speak for another's rank") {
  Run run;
  run.gather();
  CHECK(acts(run.conductor.heard(1, proto::Said{0, proto::Hello{}}, start)) ==
        std::vector<proto::Act>{{Kind::terminate, 0}});
  CHECK(run.conductor.heard(1, proto::Ended{.rank = 0}, start).empty());
  CHECK_FALSE(run.conductor.over());
}

TEST_CASE("signals stop the run wherever they arrive") {
  Run run;
  SUBCASE("here, before the launch") {
    run.conductor.signalled(SIGTERM, start);
    REQUIRE(run.conductor.over());
    CHECK(run.conductor.outcome().exit_code == 143);
    CHECK(run.conductor.outcome().status == "stopped");
  }
  SUBCASE("there, after the launch") {
    run.gather();
    CHECK(acts(run.conductor.heard(1, proto::Signalled{SIGINT}, start)) ==
          std::vector<proto::Act>{{Kind::send_stop, 0}, {Kind::send_stop, 1}});
    CHECK(acts(run.conductor.signalled(SIGINT, start)).empty());
    CHECK(acts(run.conductor.signalled(SIGINT, start)) == std::vector<proto::Act>{{Kind::kill, 0}, {Kind::kill, 1}});
  }
}

TEST_CASE("ranks do not outlive what started them") {
  Run run;
  SUBCASE("which failed before they came") {
    run.conductor.starter_ended("srun left with exit code 1: no such partition", 1, start);
    REQUIRE(run.conductor.over());
    CHECK(run.conductor.outcome().exit_code == 75);
    CHECK(run.conductor.outcome().error->what ==
          "0 of 2 ranks came (srun left with exit code 1: no such partition); missing: 0, 1");
  }
  SUBCASE("which was killed") {
    run.gather();
    CHECK(acts(run.conductor.starter_ended("srun was ended by signal 9 (Killed)", 137, start)).size() == 2);
    run.conductor.heard(0, proto::Ended{.rank = 0, .signal = SIGTERM}, start);
    run.conductor.heard(1, proto::Ended{.rank = 1, .signal = SIGTERM}, start);
    CHECK(run.conductor.outcome().exit_code == 137);
    CHECK(run.conductor.outcome().error->rank == -1);
  }
}
