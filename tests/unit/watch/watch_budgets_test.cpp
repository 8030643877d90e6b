// How long the watch lets a run stand still.
#include "launcher/watch/watch.h"

#include "tests/unit/watch/watched_run.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using Kind = WatchAction::Kind;
using Run = WatchedRun;

namespace {

// A run that moves, of which rank 1's file does not.
struct StillFile : Run {
  explicit StillFile(WatchSettings settings = {}) : Run(settings) {
    healthy(5);
    samples[1].telemetry.files = {{"write", "out.grib", 0.5}};
  }
  std::optional<Kind> second() {
    advance();
    samples[1].telemetry.files[0].open_seconds += 1;
    return tick();
  }
};

}  // namespace

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
  StillFile run;  // in the first second the file is new
  for (int i = 0; i < 120; ++i) CHECK_FALSE(run.second().has_value());
  CHECK(run.second() == Kind::file);
  CHECK(run.watch.file_seconds(1) == 120);
  for (int i = 0; i < 40; ++i) CHECK_FALSE(run.second().has_value());
  run.all_wait_but(1);
  run.tick();  // they come to the call
  CHECK(run.until_gather() == 8);
  CHECK(run.watch.gathered(run.samples, run.now)->kind == Kind::conclude);
  CHECK(run.watch.verdict().finding == Finding::blocked_io);
  CHECK(run.watch.verdict().culprits == std::vector<int>{1});

  StillFile half;  // of the time of output is over when the run stands still
  for (int i = 0; i < 61; ++i) CHECK_FALSE(half.second().has_value());
  CHECK(half.until_gather() == 60);
  CHECK(half.watch.file_seconds(1) == 120);

  StillFile given({.hang_after = 10});
  for (int i = 0; i < 10; ++i) CHECK_FALSE(given.second().has_value());
  CHECK(given.second() == Kind::file);
  given.all_wait_but(1);
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
