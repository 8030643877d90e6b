#include "launcher/supervisor/supervisor.h"

#include <doctest/doctest.h>

#include <csignal>

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
using Kind = Action::Kind;

namespace {

const TimePoint start{};

// A run of `ranks` that have all said hello.
Supervisor greeted(int ranks) {
  Supervisor supervisor(ranks, Limits{}, start);
  for (int i = 0; i < ranks; ++i)
    CHECK(supervisor.said(i, proto::Hello{.pid = 100 + i}, start) == Actions{{Kind::send_start, i}});
  return supervisor;
}

proto::Failure failure(proto::FailureKind kind, int code, const std::string& what) {
  return {.kind = kind, .what = what, .where = "there", .remedy = "do", .exit_code = code};
}

}  // namespace

TEST_CASE("a run whose ranks all finish is done") {
  Supervisor run = greeted(2);
  CHECK_FALSE(run.deadline());
  run.said(0, proto::Ready{"cpu"}, start);
  run.said(0, proto::Step{.step = 8, .steps = 8}, start);
  for (int i = 0; i < 2; ++i) {
    CHECK(run.said(i, proto::Finished{.steps = 8, .seconds = {.load = 0.5}, .peak_rss_bytes = 10 + i}, start).empty());
    CHECK_FALSE(run.over());
    CHECK(run.exited(i, Exit{.peak_rss_bytes = 5}, start).empty());
  }
  REQUIRE(run.over());
  const Outcome outcome = run.outcome();
  CHECK(outcome.status == "done");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.steps == 8);
  CHECK(outcome.seconds.load == 0.5);
  CHECK_FALSE(outcome.error);
  CHECK(outcome.ranks.at(0).device == "cpu");
  CHECK(outcome.ranks.at(1).pid == 101);
  CHECK(outcome.ranks.at(1).peak_rss_bytes == 11);
}

TEST_CASE("a result that is no success leaves with its code and is no error") {
  Supervisor run = greeted(1);
  run.said(0, proto::Finished{.exit_code = 1}, start);
  run.exited(0, Exit{.code = 1}, start);
  CHECK(run.outcome().status == "done");
  CHECK(run.outcome().exit_code == 1);
}

TEST_CASE("a rank's own error ends the others and is the run's error") {
  Supervisor run = greeted(3);
  run.said(1, proto::Phase{"input"}, start);
  CHECK(run.said(1, failure(proto::FailureKind::user, 2, "bad"), start) ==
        Actions{{Kind::terminate, 0}, {Kind::terminate, 1}, {Kind::terminate, 2}});
  run.exited(1, Exit{.code = 2}, start);
  run.exited(0, Exit{.signal = SIGTERM}, start);
  CHECK(run.deadline() == start + 2s);
  CHECK(run.passed(start + 2s) == Actions{{Kind::kill, 2}});
  run.exited(2, Exit{.signal = SIGKILL}, start + 2s);
  REQUIRE(run.over());
  const Outcome outcome = run.outcome();
  CHECK(outcome.status == "failed");
  CHECK(outcome.exit_code == 2);
  REQUIRE(outcome.error);
  CHECK(outcome.error->rank == 1);
  CHECK(outcome.error->phase == "input");
  CHECK(outcome.error->what == "bad");
  CHECK(outcome.error->where == "there");
  CHECK(outcome.error->remedy == "do");
}

TEST_CASE("a lost connection waits for its cause") {
  Supervisor run = greeted(3);
  CHECK(run.said(0, failure(proto::FailureKind::connection, 1, "reset"), start).empty());
  CHECK(run.deadline() == start + 1s);
  SUBCASE("which comes") {
    CHECK(run.exited(2, Exit{.signal = SIGSEGV}, start + 500ms).size() == 2);
    CHECK(run.outcome().exit_code == 139);
    CHECK(run.outcome().error->rank == 2);
    CHECK(run.outcome().error->what == "the worker was ended by signal 11 (Segmentation fault)");
  }
  SUBCASE("which does not come") {
    CHECK(run.passed(start + 1s).size() == 3);
    run.said(1, failure(proto::FailureKind::user, 2, "late"), start + 2s);
    CHECK(run.outcome().exit_code == 1);
    CHECK(run.outcome().error->what == "reset");
  }
}

TEST_CASE("an exit without a word is a failure, with the last lines") {
  Supervisor run = greeted(1);
  for (int i = 0; i < 30; ++i) run.wrote_error_line(0, "line " + std::to_string(i));
  SUBCASE("exit code") {
    run.exited(0, Exit{.code = 3}, start);
    CHECK(run.outcome().exit_code == 3);
    CHECK(run.outcome().error->what == "the worker left with exit code 3 without finishing or saying why");
  }
  SUBCASE("exit code 0") {
    run.exited(0, Exit{}, start);
    CHECK(run.outcome().exit_code == 1);
  }
  SUBCASE("a signal after it had finished") {
    run.said(0, proto::Finished{}, start);
    run.exited(0, Exit{.signal = SIGKILL}, start);
    CHECK(run.outcome().exit_code == 137);
    CHECK(run.outcome().status == "failed");
  }
  CHECK(run.over());
  CHECK(run.outcome().error->last_lines.size() == 20);
  CHECK(run.outcome().error->last_lines.back() == "line 29");
}

TEST_CASE("ranks that do not come are counted") {
  Supervisor run(3, Limits{}, start);
  run.said(0, proto::Hello{}, start);
  run.said(2, proto::Hello{}, start);
  CHECK(run.deadline() == start + 30s);
  CHECK(run.passed(start + 29s).empty());
  CHECK(run.passed(start + 30s).size() == 3);
  CHECK(run.outcome().exit_code == 75);
  CHECK(run.outcome().error->rank == 1);
  CHECK(run.outcome().error->what == "the worker did not come: 2 of 3 ranks came within 30 s");
}

TEST_CASE("the first signal asks, then terminates, then kills") {
  Supervisor run = greeted(1);
  run.said(0, proto::Phase{"step"}, start);
  CHECK(run.signalled(SIGTERM, 0, start) == Actions{{Kind::send_stop, 0}});
  CHECK(run.signalled(SIGTERM, 0, start + 1s).empty());
  CHECK(run.passed(start + 3s) == Actions{{Kind::terminate, 0}});
  CHECK(run.passed(start + 5s) == Actions{{Kind::kill, 0}});
  run.exited(0, Exit{.signal = SIGKILL}, start + 5s);
  CHECK(run.over());
  CHECK(run.outcome().status == "stopped");
  CHECK(run.outcome().exit_code == 143);
  CHECK(run.outcome().error->phase == "step");
}

TEST_CASE("a second interrupt kills at once") {
  Supervisor run = greeted(2);
  CHECK(run.signalled(SIGINT, 0, start).size() == 2);
  CHECK(run.signalled(SIGINT, 0, start + 100ms) == Actions{{Kind::kill, 0}, {Kind::kill, 1}});
  run.exited(0, Exit{.signal = SIGKILL}, start + 200ms);
  run.exited(1, Exit{.signal = SIGKILL}, start + 200ms);
  CHECK(run.outcome().exit_code == 130);
}

TEST_CASE("one interrupt that reaches several launchers is one") {
  Supervisor run = greeted(1);
  CHECK(run.signalled(SIGINT, 0, start) == Actions{{Kind::send_stop, 0}});
  CHECK(run.signalled(SIGINT, 1, start).empty());
  CHECK(run.signalled(SIGTERM, 1, start).empty());
  CHECK(run.signalled(SIGINT, 1, start + 1s) == Actions{{Kind::kill, 0}});
}

TEST_CASE("ranks whose launcher is gone are over, and the run fails") {
  Supervisor run = greeted(3);
  run.wrote_error_line(1, "last words");
  CHECK(run.gone({1, 2}, {.kind = proto::FailureKind::environment, .what = "host lost", .exit_code = 1}, start) ==
        Actions{{Kind::terminate, 0}});
  run.exited(0, Exit{.signal = SIGTERM}, start);
  REQUIRE(run.over());
  const Outcome outcome = run.outcome();
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.error->rank == 1);
  CHECK(outcome.error->what == "host lost");
  CHECK(outcome.error->last_lines == std::vector<std::string>{"last words"});
  CHECK(outcome.knock_on.empty());
  CHECK(outcome.left_behind.empty());
}

TEST_CASE("ranks that had ended before their launcher went are no failure") {
  Supervisor run = greeted(2);
  run.said(1, proto::Finished{}, start);
  run.exited(1, Exit{}, start);
  CHECK(run.gone({1}, {.what = "late"}, start).empty());
  run.said(0, proto::Finished{}, start);
  run.exited(0, Exit{}, start);
  CHECK(run.outcome().status == "done");
}

TEST_CASE("what beyond the ranks ends the run is its error") {
  Supervisor run = greeted(2);
  run.said(0, failure(proto::FailureKind::connection, 1, "reset"), start);
  CHECK(run.fail({.what = "srun was killed", .exit_code = 137}, start) ==
        Actions{{Kind::terminate, 0}, {Kind::terminate, 1}});
  run.exited(0, Exit{.code = 1}, start);
  run.exited(1, Exit{.signal = SIGTERM}, start);
  CHECK(run.outcome().exit_code == 137);
  CHECK(run.outcome().error->rank == -1);
  REQUIRE(run.outcome().knock_on.size() == 1);
  CHECK(run.outcome().knock_on.front().what == "reset");
}

TEST_CASE("what others make of a failure is listed, but not what the stop does to them") {
  Supervisor run = greeted(4);
  run.said(3, proto::Phase{"step"}, start);
  run.said(3, failure(proto::FailureKind::connection, 1, "peer lost"), start);
  run.exited(3, Exit{.code = 1}, start);
  run.exited(2, Exit{.signal = SIGKILL}, start + 100ms);
  run.exited(0, Exit{.signal = SIGTERM}, start + 200ms);
  run.exited(1, Exit{.signal = SIGKILL}, start + 200ms);
  const Outcome outcome = run.outcome();
  CHECK(outcome.exit_code == 137);
  CHECK(outcome.error->rank == 2);
  REQUIRE(outcome.knock_on.size() == 1);
  CHECK(outcome.knock_on.front().rank == 3);
  CHECK(outcome.knock_on.front().phase == "step");
}

TEST_CASE("a run that becomes whole after it was asked to stop is done") {
  Supervisor run = greeted(1);
  run.signalled(SIGINT, 0, start);
  run.said(0, proto::Finished{}, start);
  run.exited(0, Exit{}, start);
  CHECK(run.outcome().status == "done");
  CHECK(run.outcome().exit_code == 0);
}

TEST_CASE("errors on the way out do not hide that the user stopped the run") {
  Supervisor run = greeted(1);
  run.signalled(SIGINT, 0, start);
  run.said(0, failure(proto::FailureKind::environment, 1, "broken off"), start);
  run.exited(0, Exit{.code = 1}, start);
  CHECK(run.outcome().status == "stopped");
  CHECK(run.outcome().exit_code == 130);
}

TEST_CASE("a stop before hello sends no start") {
  Supervisor run(1, Limits{}, start);
  CHECK(run.signalled(SIGINT, 0, start) == Actions{{Kind::send_stop, 0}});
  CHECK(run.said(0, proto::Hello{}, start).empty());
}

TEST_CASE("an abort may be the communicator's, and waits a second for a better cause") {
  Supervisor run = greeted(2);
  CHECK(run.exited(0, Exit{.signal = SIGABRT}, start).empty());
  CHECK(run.waits_for_cause());
  CHECK(run.passed(start + 1s) == Actions{{Kind::terminate, 1}});
  run.exited(1, Exit{.signal = SIGTERM}, start + 1s);
  CHECK(run.outcome().exit_code == 134);
}

TEST_CASE("a signal to the whole job may reach its workers before the launcher") {
  SUBCASE("some of them") {
    Supervisor run = greeted(2);
    CHECK(run.exited(1, Exit{.signal = SIGTERM}, start).empty());
    CHECK(run.said(0, failure(proto::FailureKind::connection, 1, "rank 1 is gone"), start).empty());
    CHECK(run.signalled(SIGTERM, 0, start + 500ms) == Actions{{Kind::send_stop, 0}});
    run.exited(0, Exit{.signal = SIGTERM}, start + 500ms);
    REQUIRE(run.over());
    CHECK(run.outcome().status == "stopped");
    CHECK(run.outcome().exit_code == 143);
  }
  SUBCASE("the loss of them before the end of them is known") {
    Supervisor run = greeted(2);
    CHECK(run.said(0, failure(proto::FailureKind::connection, 1, "rank 1 is gone"), start).empty());
    CHECK(run.signalled(SIGTERM, 0, start + 500ms) == Actions{{Kind::send_stop, 0}, {Kind::send_stop, 1}});
    for (int i = 0; i < 2; ++i) run.exited(i, Exit{.signal = SIGTERM}, start + 500ms);
    CHECK(run.outcome().status == "stopped");
  }
  SUBCASE("all of them") {
    Supervisor run = greeted(2);
    for (int i = 0; i < 2; ++i) CHECK(run.exited(i, Exit{.signal = SIGTERM}, start).empty());
    CHECK_FALSE(run.over());
    CHECK(run.deadline() == start + 1s);
    CHECK(run.signalled(SIGTERM, 0, start + 500ms).empty());
    REQUIRE(run.over());
    CHECK(run.outcome().status == "stopped");
  }
  SUBCASE("and only workers, if none comes") {
    Supervisor run = greeted(2);
    for (int i = 0; i < 2; ++i) run.exited(i, Exit{.signal = SIGTERM}, start);
    CHECK(run.passed(start + 1s).empty());
    REQUIRE(run.over());
    CHECK(run.outcome().status == "failed");
    CHECK(run.outcome().error->rank == 0);
    CHECK(run.outcome().exit_code == 143);
  }
}

TEST_CASE("a process that no signal ends is left behind and named") {
  Supervisor run = greeted(2);
  run.exited(0, Exit{.signal = SIGSEGV}, start);
  run.passed(start + 2s);
  CHECK(run.passed(start + 7s) == Actions{{Kind::abandon, 1}});
  CHECK(run.over());
  CHECK(run.outcome().left_behind == std::vector<int>{1});
  CHECK(run.outcome().exit_code == 139);
}

TEST_CASE("messages out of order break the protocol") {
  Supervisor early(1, Limits{}, start);
  CHECK(early.said(0, proto::Ready{"cpu"}, start).size() == 1);
  CHECK(early.outcome().error->what == "the worker broke the protocol: a message before `hello`");
  Supervisor twice = greeted(1);
  CHECK(twice.said(0, proto::Hello{}, start).size() == 1);
  Supervisor confused = greeted(1);
  CHECK(confused.said(0, proto::Stop{}, start).size() == 1);
  Supervisor old(1, Limits{}, start);
  CHECK(old.said(0, proto::Hello{.version = 99}, start).size() == 1);
  CHECK(old.outcome().error->what == "the worker speaks protocol version 99, this launcher version 2");
}
