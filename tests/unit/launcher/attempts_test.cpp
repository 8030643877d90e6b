#include "launcher/supervisor/attempts.h"

#include <doctest/doctest.h>

#include <csignal>

#include "launcher/supervisor/supervisor.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

// How a run of one rank ends whose worker ends so.
Outcome ended(const Exit& exit) {
  Supervisor run(1, Limits{}, TimePoint{});
  run.said(0, proto::Hello{.pid = 100}, TimePoint{});
  run.said(0, proto::Step{.step = 5, .steps = 8}, TimePoint{});
  run.exited(0, exit, TimePoint{});
  REQUIRE(run.over());
  return run.outcome();
}

}  // namespace

TEST_CASE("a signal to a rank is worth another attempt") {
  Attempts attempts(1);
  CHECK(attempts.first());
  CHECK(attempts.again(ended({.signal = SIGKILL}), 2.5));
  CHECK_FALSE(attempts.first());
  CHECK(attempts.left() == 0);
  CHECK_FALSE(attempts.again(ended({.signal = SIGKILL}), 1));
  const proto::Json told = attempts.to_json();
  REQUIRE(told.size() == 1);
  CHECK(told[0]["rank"] == 0);
  CHECK(told[0]["exit_code"] == 137);
  CHECK(told[0]["steps"] == 5);
  CHECK(told[0]["seconds"] == 2.5);
}

TEST_CASE("exit codes, proven lack of memory and other ends are not") {
  CHECK_FALSE(worth_restart(ended({.code = 137})));
  CHECK_FALSE(worth_restart(ended({.code = 2})));
  CHECK_FALSE(worth_restart(ended({.signal = SIGKILL, .out_of_memory = "limit 1 MiB"})));
  Attempts none(0);
  CHECK_FALSE(none.again(ended({.signal = SIGKILL}), 1));
  Supervisor done(1, Limits{}, TimePoint{});
  done.said(0, proto::Hello{.pid = 100}, TimePoint{});
  done.said(0, proto::Finished{}, TimePoint{});
  done.exited(0, Exit{}, TimePoint{});
  CHECK_FALSE(worth_restart(done.outcome()));
}

TEST_CASE("the user's own signal and a hang are not") {
  Supervisor stopped(1, Limits{}, TimePoint{});
  stopped.said(0, proto::Hello{.pid = 100}, TimePoint{});
  stopped.signalled(SIGINT, -1, TimePoint{});
  stopped.exited(0, Exit{.signal = SIGTERM}, TimePoint{});
  CHECK_FALSE(worth_restart(stopped.outcome()));
  Supervisor hangs(1, Limits{}, TimePoint{});
  hangs.said(0, proto::Hello{.pid = 100}, TimePoint{});
  hangs.fail({.what = "the run hangs", .exit_code = 110}, TimePoint{});
  hangs.exited(0, Exit{.signal = SIGKILL}, TimePoint{});
  CHECK_FALSE(worth_restart(hangs.outcome()));
}

TEST_CASE("a lost host is, and a process that did not end is not") {
  Supervisor lost(2, Limits{}, TimePoint{});
  RankError error{.what = "gone"};
  error.host_lost = true;
  for (int rank = 0; rank < 2; ++rank) lost.said(rank, proto::Hello{.pid = 100}, TimePoint{});
  lost.gone({1}, error, TimePoint{});
  lost.exited(0, Exit{.signal = SIGTERM}, TimePoint{});
  REQUIRE(lost.over());
  CHECK(worth_restart(lost.outcome()));
  Outcome outcome = lost.outcome();
  outcome.left_behind = {0};
  CHECK_FALSE(worth_restart(outcome));
}
