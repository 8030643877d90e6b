// An agent on its own: how long it believes in its controller. By a fake clock.
#include "launcher/agent/membership.h"

#include <doctest/doctest.h>

#include <csignal>

#include "launcher/wire/lobby.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
using Kind = proto::Act::Kind;

namespace {
const TimePoint start{};
}

TEST_CASE("an agent says every second that it lives") {
  Membership member(start);
  CHECK(member.deadline() == start + 1s);
  CHECK_FALSE(member.passed(start + 999ms).send_alive);
  CHECK(member.passed(start + 1s).send_alive);
  CHECK(member.deadline() == start + 2s);
}

TEST_CASE("a controller that is silent for 5 s is lost: the workers go") {
  Membership member(start);
  for (int second = 1; second < 5; ++second)
    CHECK(member.passed(start + std::chrono::seconds(second)).to_workers.empty());
  CHECK(member.passed(start + 5s).to_workers == std::vector<Kind>{Kind::terminate});
  CHECK(member.alone());
  CHECK_FALSE(member.over(true));
  CHECK(member.passed(start + 7s).to_workers == std::vector<Kind>{Kind::kill});
  CHECK(member.over(false));
  CHECK(member.exit_code() == 1);
  CHECK(member.passed(start + 12s).to_workers == std::vector<Kind>{Kind::abandon});
  CHECK(member.over(true));
}

TEST_CASE("a controller whose connection closes is lost at once") {
  Membership member(start);
  member.lost("the connection was closed", start + 1s);
  CHECK(member.passed(start + 1s).to_workers == std::vector<Kind>{Kind::terminate});
  CHECK(*member.fault() == "the connection was closed");
}

TEST_CASE("an agent leaves with the run's code when it is sent home, also when the connection closes then") {
  Membership member(start);
  member.dismissed(137);
  member.lost("the connection was closed", start);
  CHECK_FALSE(member.alone());
  CHECK(member.over(false));
  CHECK(member.exit_code() == 137);
}

TEST_CASE("a signal is an agent's code when there is no other") {
  Membership member(start);
  member.signalled(SIGTERM, start);
  member.lost("gone", start);
  CHECK(member.passed(start).to_workers == std::vector<Kind>{Kind::terminate});
  CHECK(member.exit_code() == 143);
  member.signalled(SIGINT, start);
  CHECK(member.passed(start).to_workers == std::vector<Kind>{Kind::kill});
}

TEST_CASE("an agent that was stopped itself gives its controller time again") {
  Membership member(start);
  CHECK(member.passed(start + 1s).to_workers.empty());
  CHECK(member.passed(start + 100s).to_workers.empty());
  CHECK_FALSE(member.alone());
  for (int second = 101; second < 104; ++second) member.passed(start + std::chrono::seconds(second));
  CHECK_FALSE(member.alone());
  member.passed(start + 104s);
  CHECK(member.alone());
}

TEST_CASE("strangers are bounded in number and in time") {
  Lobby lobby(2, 5s);
  CHECK_FALSE(lobby.arrived(1, start));
  CHECK_FALSE(lobby.arrived(2, start + 1s));
  CHECK(lobby.arrived(3, start + 2s) == 1);
  CHECK(lobby.passed(start + 5s).empty());
  CHECK(lobby.passed(start + 6s) == std::vector<int>{2});
  lobby.left(3);
  CHECK(lobby.passed(start + 60s).empty());
  CHECK(lobby.size() == 0);
}
