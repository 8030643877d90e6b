#include <doctest/doctest.h>

#include "launcher/watch/watch.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using Kind = WatchAction::Kind;

namespace {

// A run of four ranks whose samples the test changes, a second at a time.
struct Run {
  explicit Run(WatchSettings settings = {}, int count = 4)
      : now(TimePoint() + std::chrono::hours(1)), watch(count, settings, now) {
    samples = ranks(count, [](int rank) { return computing(rank); });
  }
  // All ranks get on.
  void advance() {
    for (RankSample& sample : samples) ++sample.telemetry.tick;
  }
  std::optional<Kind> tick(double seconds = 1) {
    now += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    const auto action = watch.sampled(samples, now);
    return action ? std::optional(action->kind) : std::nullopt;
  }
  void healthy(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      advance();
      CHECK_FALSE(tick().has_value());
    }
  }
  // Frozen seconds until the watch wants evidence; -1 when it does not within `most`.
  int until_gather(int most = 400) {
    for (int second = 1; second <= most; ++second)
      if (tick() == Kind::gather) return second;
    return -1;
  }
  void phase(const std::string& name) {
    for (RankSample& sample : samples) sample.telemetry.phase = name;
  }
  void all_wait_but(int rank) {
    for (RankSample& sample : samples)
      if (sample.rank != rank) sample = waiting(sample.rank);
  }

  TimePoint now;
  Watch watch;
  std::vector<RankSample> samples;
};

}  // namespace

TEST_CASE("a step that freezes is suspect after 5 s and confirmed 3 s later") {
  Run run;
  run.healthy(20);
  run.all_wait_but(2);
  run.tick();  // they come to the call
  CHECK(run.until_gather() == 8);
  CHECK(run.watch.seconds_to_suspect() == 5);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK(run.watch.seconds_to_verdict() == 8);
  CHECK(run.watch.verdict().culprits == std::vector<int>{2});
  CHECK_FALSE(run.tick().has_value());  // told once
}

TEST_CASE("any sign of life of any rank counts") {
  const auto changes =
      std::vector<std::function<void(RankSample&)>>{[](RankSample& s) { ++s.telemetry.tick; },
                                                    [](RankSample& s) { ++s.telemetry.done; },
                                                    [](RankSample& s) { ++s.telemetry.bytes_written; },
                                                    [](RankSample& s) { ++s.telemetry.bytes_read; },
                                                    [](RankSample& s) { ++s.telemetry.device_progress; },
                                                    [](RankSample& s) { s.process.read_characters += 5000; },
                                                    [](RankSample& s) { s.process.written_characters += 5000; },
                                                    [](RankSample& s) { ++s.process.read_storage; }};
  for (const auto& change : changes) {
    Run run;
    run.healthy(5);
    for (int i = 0; i < 60; ++i) {
      if (i % 4 == 0) change(run.samples[static_cast<std::size_t>(i / 4 % 4)]);
      CHECK_FALSE(run.tick().has_value());
    }
  }
  Run chatter;  // a line of log a second is no progress
  chatter.healthy(5);
  for (int i = 0; i < 7; ++i) {
    chatter.samples[0].process.written_characters += 100;
    CHECK_FALSE(chatter.tick().has_value());
  }
  CHECK(chatter.tick() == Kind::gather);
}

TEST_CASE("a run that moves after it became suspect is forgotten") {
  Run run;
  run.healthy(5);
  for (int i = 0; i < 7; ++i) CHECK_FALSE(run.tick().has_value());
  run.healthy(1);
  // It has once stood still for 8 s, so 16 s are needed now.
  CHECK(run.until_gather() == 19);
}

TEST_CASE("budgets of phases") {
  const auto frozen_in = [](const std::string& phase, WatchSettings settings = {}) {
    Run run(settings);
    run.phase(phase);
    run.advance();
    run.tick();
    return run.until_gather();
  };
  CHECK(frozen_in("step") == 8);
  CHECK(frozen_in("start") == 120);
  CHECK(frozen_in("load") == 120);
  CHECK(frozen_in("input") == 120);
  CHECK(frozen_in("first step") == 120);
  CHECK(frozen_in("output") == 120);
  CHECK(frozen_in("close") == 120);
  CHECK(frozen_in("input", {.input = 30}) == 30);
  CHECK(frozen_in("load", {.hang_after = 10}) == 10);
  CHECK(frozen_in("step", {.hang_after = 2}) == 5);
}

TEST_CASE("a rank at a file has the budget of output, unless it waits for others itself") {
  Run run;
  run.healthy(5);
  run.all_wait_but(0);
  run.samples[0].telemetry.files = {{"write", "out.grib", 1}};
  run.tick();
  CHECK(run.until_gather() == 120);
  Run other;
  other.healthy(5);
  other.all_wait_but(0);
  other.samples[1].telemetry.files = {{"write", "out.grib", 1}};
  other.tick();
  CHECK(other.until_gather() == 8);
}

TEST_CASE("a file that stands still while the run moves is told once, and its time counts when the run stands still") {
  Run run;
  run.healthy(5);
  run.samples[1].telemetry.files = {{"write", "out.grib", 0.5}};
  const auto second = [&run] {
    run.advance();
    run.samples[1].telemetry.files[0].open_seconds += 1;
    return run.tick();
  };
  for (int i = 0; i < 120; ++i) CHECK_FALSE(second().has_value());
  CHECK(second() == Kind::file);
  CHECK(run.watch.file_seconds(1) == 120);
  for (int i = 0; i < 40; ++i) CHECK_FALSE(second().has_value());
  run.all_wait_but(1);
  run.tick();  // they come to the call
  CHECK(run.until_gather() == 8);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK(run.watch.verdict().finding == Finding::blocked_io);
  CHECK(run.watch.verdict().culprits == std::vector<int>{1});

  Run half;  // of the time of output is over when the run stands still
  half.healthy(5);
  half.samples[1].telemetry.files = {{"write", "out.grib", 0.5}};
  half.advance();
  half.tick();
  for (int i = 0; i < 60; ++i) {
    half.advance();
    half.samples[1].telemetry.files[0].open_seconds += 1;
    CHECK_FALSE(half.tick().has_value());
  }
  CHECK(half.until_gather() == 60);
  CHECK(half.watch.file_seconds(1) == 120);

  Run given({.hang_after = 10});
  given.healthy(5);
  given.samples[0].telemetry.files = {{"write", "out.grib", 0.5}};
  given.advance();
  given.tick();
  for (int i = 0; i < 9; ++i) {
    given.advance();
    CHECK_FALSE(given.tick().has_value());
  }
  given.advance();
  CHECK(given.tick() == Kind::file);
  given.all_wait_but(0);
  given.tick();
  CHECK(given.until_gather() == 8);
}

TEST_CASE("a file that moves, or is another one, does not stand still") {
  Run run;
  run.healthy(5);
  for (int i = 0; i < 600; ++i) {
    auto& t = run.samples[1].telemetry;
    t.files = {{"write", "out.grib", i % 7 + 0.5}};  // one file after the other, each shorter than seven seconds
    CHECK_FALSE((run.advance(), run.tick()).has_value());
  }
  for (int i = 0; i < 600; ++i) {
    auto& t = run.samples[1].telemetry;
    t.files = {{"write", "out.grib", i + 0.5}};  // one that takes some bytes every minute
    if (i % 60 == 0) t.bytes_written += 100;
    CHECK_FALSE((run.advance(), run.tick()).has_value());
  }
}

TEST_CASE("ranks that wait for one that loads have its budget; all waiting, that of a step") {
  Run run;
  run.phase("load");
  run.all_wait_but(1);
  run.tick();
  CHECK(run.until_gather() == 120);
  Run all;
  for (RankSample& sample : all.samples) sample = waiting(sample.rank);
  all.phase("load");
  all.tick();
  CHECK(all.until_gather() == 8);
  Run first;  // the first call of all sets up connections
  for (RankSample& sample : first.samples) sample = waiting(sample.rank, 1);
  first.tick();
  CHECK(first.until_gather() == 30);
}

TEST_CASE("the budget of a step is learned from the gaps of the run") {
  Run run;
  for (int round = 0; round < 30; ++round) {
    run.advance();
    for (int second = 0; second < 4; ++second) CHECK_FALSE(run.tick().has_value());
  }
  CHECK(run.watch.budget() > 15);  // 5 times about 4 s, less what the first gaps weigh
  CHECK(run.watch.budget() < 25);
}

TEST_CASE("what came before the first sample is no gap") {
  // As recorded of a short run: first seen in the first step, a second later it stands still in the third.
  Run run;
  run.phase("first step");
  for (RankSample& sample : run.samples) sample.telemetry.tick = 53;
  CHECK_FALSE(run.tick(2).has_value());
  run.phase("step");
  for (RankSample& sample : run.samples) sample.telemetry.tick = 102;
  CHECK_FALSE(run.tick().has_value());
  CHECK(run.watch.budget() == 5);
  CHECK(run.until_gather() == 8);
}

TEST_CASE("one long gap weighs no more than one of the many that follow") {
  Run run;
  run.phase("first step");
  for (int second = 0; second < 9; ++second) CHECK_FALSE(run.tick().has_value());
  run.advance();
  CHECK_FALSE(run.tick().has_value());
  run.phase("step");
  for (RankSample& sample : run.samples) sample.telemetry.tick += 100;
  CHECK_FALSE(run.tick().has_value());
  CHECK(run.watch.budget() == 5);
}

TEST_CASE("slow layers of the first step are learned from, what happens once in it is not") {
  Run slow;
  slow.phase("first step");
  for (int layer = 0; layer < 4; ++layer) {
    slow.advance();
    for (int second = 0; second < 9; ++second) CHECK_FALSE(slow.tick().has_value());
  }
  slow.phase("step");
  slow.advance();
  for (int second = 0; second < 9; ++second) CHECK_FALSE(slow.tick().has_value());
  CHECK(slow.watch.budget() >= 18);
  Run once;
  once.phase("first step");
  once.advance();
  for (int second = 0; second < 60; ++second) CHECK_FALSE(once.tick().has_value());
  once.phase("step");
  once.healthy(60);
  CHECK(once.watch.budget() <= 8);
}

TEST_CASE("a stopped process needs no waiting for others") {
  Run run;
  run.healthy(5);
  run.samples[1].process.state = 'T';
  const auto others_advance = [&run] {  // they still find something to do
    for (RankSample& sample : run.samples)
      if (sample.rank != 1) ++sample.telemetry.tick;
  };
  for (int i = 0; i < 5; ++i) {  // of the first sample nobody knows since when
    others_advance();
    CHECK_FALSE(run.tick().has_value());
  }
  others_advance();
  CHECK(run.tick() == Kind::gather);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK(run.watch.verdict().finding == Finding::stopped);
}

TEST_CASE("a process that is stopped whenever it is looked at, but gets on, is not stopped") {
  Run run;  // cpulimit and its like stop and continue a process many times a second
  run.healthy(5);
  run.samples[1].process.state = 'T';
  for (int i = 0; i < 60; ++i) {
    run.advance();
    CHECK_FALSE(run.tick().has_value());
  }
}

TEST_CASE("stopped for a moment, stopped all together, stopped by a debugger: no verdict") {
  Run moment;
  moment.healthy(5);
  for (int i = 0; i < 20; ++i) {
    moment.samples[1].process.state = i % 5 == 4 ? 'R' : 'T';
    moment.advance();
    CHECK_FALSE(moment.tick().has_value());
  }
  Run all;
  all.healthy(5);
  for (RankSample& sample : all.samples) sample.process.state = 'T';
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(all.tick().has_value());
  for (RankSample& sample : all.samples) sample.process.state = 'S';
  CHECK(all.until_gather() == 8);  // counted anew
  Run debugged;
  debugged.healthy(5);
  for (int i = 0; i < 1000; ++i) {
    debugged.samples[2].process.tracer = 4711;
    debugged.samples[2].process.state = i % 2 == 0 ? 't' : 'S';
    CHECK_FALSE(debugged.tick().has_value());
  }
  debugged.samples[2].process.tracer = 0;
  CHECK(debugged.until_gather() == 8);
}

TEST_CASE("time in which the watch did not run does not count") {
  Run run;
  run.healthy(5);
  CHECK_FALSE(run.tick(3600).has_value());  // the machine slept
  CHECK_FALSE(run.tick(3600).has_value());
  run.healthy(3);
  CHECK_FALSE(run.watch.budget() > 10);
}

TEST_CASE("time in which a rank got no CPU does not count") {
  Run run;
  run.healthy(5);
  run.all_wait_but(2);
  run.tick();
  for (int i = 0; i < 60; ++i) {
    run.samples[2].process.starved_seconds += 0.95;
    CHECK_FALSE(run.tick().has_value());
  }
  for (int i = 0; i < 60; ++i) run.samples[0].process.starved_seconds += 1;  // one that waits needs none
  CHECK(run.until_gather() > 0);
}

TEST_CASE("what moves while evidence is gathered is no hang") {
  Run run;
  run.healthy(5);
  CHECK(run.until_gather() == 8);
  run.advance();
  CHECK_FALSE(run.watch.gathered(run.samples, run.now).has_value());
  run.healthy(5);
}

TEST_CASE("a verdict is taken back when the run moves again") {
  Run run({.mode = HangMode::observe});
  run.healthy(5);
  CHECK(run.until_gather() == 8);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK_FALSE(run.tick().has_value());
  run.advance();
  CHECK(run.tick() == Kind::withdraw);
  run.healthy(5);
  CHECK(run.until_gather() > 8);  // and can be made again
}

TEST_CASE("evidence that was not asked for changes nothing") {
  Run run;
  CHECK_FALSE(run.watch.gathered(run.samples, run.now).has_value());
}

TEST_CASE("a rank whose host is lost, or that left, is not waited for") {
  Run run;
  run.healthy(5);
  run.samples[0].exited = true;
  run.samples[1].lost = true;
  CHECK_FALSE(run.tick().has_value());  // that is news
  CHECK(run.until_gather() == 8);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK(run.watch.verdict().finding == Finding::unreachable);
}
