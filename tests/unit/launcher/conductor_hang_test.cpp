// What the controller makes of a hang: by samples and evidence that agents send, by a fake clock.
#include <doctest/doctest.h>

#include <csignal>
#include <numeric>
#include <vector>

#include "launcher/control/conductor.h"
#include "launcher/watch/hang_watch.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace tradewind::testing;
using namespace std::chrono_literals;
using Kind = proto::Act::Kind;

namespace {

struct Seen : Audience {
  void message(int, const proto::Message&) override {}
  void line(int, proto::Stream, const std::string&) override {}
  void samples(const std::vector<RankSample>& samples) override { looks += samples.empty() ? 0 : 1; }
  void hang(const Hang& hang) override { hangs.push_back(hang); }
  void asked() override { ++questions; }
  int looks = 0, questions = 0;
  std::vector<Hang> hangs;
};

proto::Watch watch(int rank, const char* kind, const RankSample& sample) {
  return {rank, {{kind, proto::encode_sample(sample)}}};
}

// The answer to a `look`.
proto::Watch looked(const RankSample& sample) {
  proto::Watch answer = watch(sample.rank, "sample", sample);
  answer.body["looked"] = true;
  return answer;
}

// Ranks of one agent in this process, two unless told otherwise.
struct Run {
  explicit Run(HangMode mode = HangMode::stop, int ranks = 2)
      : conductor({.command = "run", .world_size = ranks}, {}, Limits{.watch = {.mode = mode}}, seen, now) {
    std::vector<int> all(static_cast<std::size_t>(ranks));
    std::iota(all.begin(), all.end(), 0);
    conductor.joined(0, {.host = "a", .world_size = ranks, .ranks = all}, {}, now);
    for (const int rank : all) hear(proto::Said{rank, proto::Hello{.pid = 100 + rank}});
  }
  Orders hear(const proto::ControlMessage& message) { return conductor.heard(0, message, now); }
  // A second in which rank 1 does not come to a collective: until evidence is wanted.
  bool wants_evidence() {
    for (int second = 0; second < 60; ++second) {
      hear(watch(0, "sample", waiting(0)));
      hear(watch(1, "sample", computing(1)));
      now += 1s;
      int asked = 0;
      for (const Order& order : conductor.passed(now))
        if (const auto* wish = std::get_if<proto::Watch>(&order.message))
          asked += wish->body.contains("gather") ? 1 : 0;
      if (asked > 0) return asked == 2;
    }
    return false;
  }
  Orders give_evidence() {
    hear(watch(0, "evidence", waiting(0)));
    return hear(watch(1, "evidence", computing(1)));
  }
  TimePoint now = TimePoint() + 1h;
  Seen seen;
  Conductor conductor;
};

bool terminates(const Orders& orders) {
  for (const Order& order : orders)
    if (const auto* act = std::get_if<proto::Act>(&order.message); act != nullptr && act->kind == Kind::terminate)
      return true;
  return false;
}

}  // namespace

TEST_CASE("a hang is told and ends the run with its own exit code") {
  Run run;
  REQUIRE(run.wants_evidence());
  CHECK(terminates(run.give_evidence()));
  REQUIRE(run.seen.hangs.size() == 1);
  CHECK(run.seen.looks > 5);
  for (const int rank : {0, 1}) run.hear(proto::Ended{.rank = rank, .signal = SIGTERM});
  REQUIRE(run.conductor.over());
  const Outcome outcome = run.conductor.outcome();
  CHECK(outcome.exit_code == 110);
  CHECK(outcome.status == "failed");
  CHECK(outcome.error->rank == 1);
  CHECK(outcome.error->what.find("the run hangs: rank 1 does not come") == 0);
  CHECK(outcome.hang["verdict"] == "missing rank");
  CHECK(outcome.hang["exit_code"] == 110);
}

TEST_CASE("a hang that is only observed ends nothing, and is taken back") {
  Run run(HangMode::observe);
  REQUIRE(run.wants_evidence());
  CHECK(run.give_evidence().empty());
  CHECK(run.seen.hangs.size() == 1);
  for (const int rank : {0, 1}) run.hear(watch(rank, "sample", computing(rank, 40)));
  run.now += 1s;
  run.conductor.passed(run.now);
  REQUIRE(run.seen.hangs.size() == 2);
  CHECK(run.seen.hangs.back().withdrawn);
  for (const int rank : {0, 1}) {
    run.hear(proto::Said{rank, proto::Finished{}});
    run.hear(proto::Ended{.rank = rank});
  }
  CHECK(run.conductor.outcome().exit_code == 0);
  CHECK(run.conductor.outcome().hang["action"] == "withdrawn");
}

TEST_CASE("a lost connection that a different call explains is told as that") {
  Run run;
  RankSample other = waiting(1);
  other.telemetry.call.dtype = "Double";
  run.hear(watch(0, "sample", waiting(0)));
  run.hear(watch(1, "sample", other));
  run.hear(proto::Said{0, proto::Failure{.kind = proto::FailureKind::connection, .what = "lost a peer"}});
  run.now += 1s;
  run.conductor.passed(run.now);
  REQUIRE(run.seen.hangs.size() == 1);
  for (const int rank : {0, 1}) run.hear(proto::Ended{.rank = rank, .signal = SIGTERM});
  CHECK(run.conductor.outcome().exit_code == 110);
  CHECK(run.conductor.outcome().hang["verdict"] == "disagreement");
}

TEST_CASE("when a connection is lost the pages are looked at as they are then") {
  Run run;
  for (const int rank : {0, 1}) run.hear(watch(rank, "sample", computing(rank)));
  int looks = 0;
  for (const Order& order :
       run.hear(proto::Said{1, proto::Failure{.kind = proto::FailureKind::connection, .what = "lost a peer"}}))
    if (const auto* wish = std::get_if<proto::Watch>(&order.message)) looks += wish->body.contains("look") ? 1 : 0;
  CHECK(looks == 2);
  run.hear(looked(waiting(0)));
  CHECK(run.seen.hangs.empty());
  RankSample other = waiting(1, 12);  // it has gone on
  other.telemetry.earlier = {waiting(1).telemetry.call};
  other.telemetry.earlier.back().dtype = "Double";
  run.hear(looked(other));
  REQUIRE(run.seen.hangs.size() == 1);
  run.hear(proto::Ended{.rank = 0, .signal = SIGABRT});
  run.hear(proto::Ended{.rank = 1, .code = 1});
  CHECK(run.conductor.outcome().exit_code == 110);
  CHECK(run.conductor.outcome().hang["verdict"] == "disagreement");
}

TEST_CASE("who is in the minority is told when the pages of all are in, or the time for them is over") {
  for (const bool all : {true, false}) {
    CAPTURE(all);
    Run run(HangMode::stop, 4);
    for (const int rank : {2, 3}) run.hear(watch(rank, "sample", computing(rank)));
    run.hear(proto::Said{0, proto::Failure{.kind = proto::FailureKind::connection, .what = "lost a peer"}});
    RankSample other = waiting(1);
    other.telemetry.call.shape = {4, 16};
    run.hear(looked(waiting(0)));
    run.hear(looked(other));
    for (const int rank : {2, 3}) run.hear(watch(rank, "sample", computing(rank)));  // those of every second
    CHECK(run.seen.hangs.empty());
    if (all)
      for (const int rank : {2, 3}) run.hear(looked(waiting(rank)));
    run.now += 1s;
    run.conductor.passed(run.now);
    REQUIRE(run.seen.hangs.size() == 1);
    const Verdict& verdict = run.seen.hangs.front().verdict;
    CHECK(verdict.finding == (all ? Finding::outlier : Finding::disagreement));
    CHECK(verdict.culprits == (all ? std::vector<int>{1} : std::vector<int>{}));
  }
}

TEST_CASE("an internal error of a rank that made another call is what that ended in; a user's mistake is not") {
  for (const auto kind : {proto::FailureKind::internal, proto::FailureKind::user}) {
    Run run;
    RankSample other = waiting(1);
    other.telemetry.call.dtype = "Double";
    run.hear(watch(0, "sample", waiting(0)));
    run.hear(proto::Said{1, proto::Failure{.kind = kind, .what = "expected Float", .exit_code = 1}});
    run.hear(watch(1, "sample", other));
    run.hear(proto::Ended{.rank = 1, .code = 1});
    run.hear(proto::Ended{.rank = 0, .signal = SIGTERM});
    CHECK(run.conductor.outcome().exit_code == (kind == proto::FailureKind::internal ? 110 : 1));
    CHECK(run.seen.hangs.size() == (kind == proto::FailureKind::internal ? 1 : 0));
  }
}

TEST_CASE("an abort inside a call that all made is the rank's own") {
  Run run;
  run.hear(proto::Ended{.rank = 1, .signal = SIGABRT});
  for (const int rank : {0, 1}) run.hear(watch(rank, "sample", waiting(rank)));
  run.now += 2s;
  CHECK(terminates(run.conductor.passed(run.now)));
  run.hear(proto::Ended{.rank = 0, .signal = SIGTERM});
  CHECK(run.conductor.outcome().exit_code == 134);
  CHECK(run.seen.hangs.empty());
}

TEST_CASE("a rank that the kernel ended for memory is told as that, by proof only") {
  for (const bool proof : {true, false}) {
    Run run;
    run.hear(proto::Ended{.rank = 1, .signal = SIGKILL, .out_of_memory = proof ? "limit 9 MiB" : ""});
    run.hear(proto::Ended{.rank = 0, .signal = SIGTERM});
    CHECK(run.conductor.outcome().exit_code == (proof ? 253 : 137));
    CHECK((run.conductor.outcome().error->what.find("out of memory (limit 9 MiB)") != std::string::npos) == proof);
  }
}

TEST_CASE("a question of the user is passed on") {
  Run run;
  CHECK(run.conductor.signalled(SIGUSR1, run.now).empty());
  CHECK(run.seen.questions == 1);
}

TEST_CASE("a sample that is none costs the agent its place") {
  Run run;
  run.hear(proto::Watch{1, {{"sample", 3}}});
  for (const int rank : {0, 1}) run.hear(proto::Ended{.rank = rank, .signal = SIGTERM});
  CHECK(run.conductor.outcome().status == "failed");
}
