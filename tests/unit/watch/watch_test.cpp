#include "launcher/watch/watch.h"

#include "tests/unit/watch/watched_run.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using Kind = WatchAction::Kind;
using Run = WatchedRun;

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
