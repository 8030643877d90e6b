// When a program of ranks counts as hung, by a fake clock: what counts as life, the budgets, and what is told.
#include "launcher/watch/program_watch.h"

#include <doctest/doctest.h>

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
using proto::RankSample;
using Kind = WatchAction::Kind;

namespace {

const std::string waits = "TID 100:\n#0 0x1 futex\n#1 0x2 gloo::transport::tcp::UnboundBuffer::waitRecv\n";
const std::string sleeps = "TID 100:\n#0 0x1 clock_nanosleep\n";
const std::string works = "TID 100:\n#0 0x1 work(int)\n";

// Ranks that a test lets do something in each second.
struct Program {
  explicit Program(int ranks, WatchSettings settings = {}) : watch(ranks, settings, now) {
    for (int rank = 0; rank < ranks; ++rank) {
      RankSample sample{.rank = rank, .pid = 100, .host = "here"};
      sample.telemetry = {.known = true, .phase = "program"};
      sample.process = {.known = true, .state = 'S'};
      sample.program = {.known = true, .processes = 100};
      samples.push_back(sample);
      stacks.push_back(waits);
      busy.push_back(false);
      flights.emplace_back();
    }
  }
  std::optional<WatchAction> second() {
    now += 1s;
    for (std::size_t i = 0; i < samples.size(); ++i)
      if (busy[i]) samples[i].program.cpu_seconds += 0.5;
    return watch.sampled(samples, now);
  }
  std::optional<WatchAction> gather() {
    std::vector<Testimony> all;
    for (std::size_t i = 0; i < samples.size(); ++i)
      all.push_back({.sample = samples[i], .stack = stacks[i], .flight = flights[i]});
    ++looks;
    return watch.testified(all, now);
  }
  // Seconds until a verdict; -1: none within that time.
  int verdict_within(int seconds) {
    for (int i = 1; i <= seconds; ++i) {
      const auto action = second();
      if (action && action->kind == Kind::gather)
        if (const auto told = gather(); told && told->kind == Kind::conclude) return i;
    }
    return -1;
  }
  TimePoint now{};
  ProgramWatch watch;
  std::vector<RankSample> samples;
  std::vector<std::string> stacks;
  std::vector<bool> busy;
  std::vector<std::optional<FlightRecord>> flights;
  int looks = 0;
};

FlightRecord at(std::int64_t sequence, bool done) {
  return {.version = "2.10",
          .entries = {{.group = "0", .sequence = sequence, .operation = "all_reduce", .sizes = "[[4]]", .done = done}}};
}

}  // namespace

TEST_CASE("a rank that sleeps while all others wait in a collective is named after the idle time") {
  Program program(4);
  program.stacks[2] = sleeps;
  const int seconds = program.verdict_within(200);
  CHECK(seconds >= 60);
  CHECK(seconds <= 63);
  CHECK(program.watch.verdict().finding == Finding::missing);
  CHECK(program.watch.verdict().certainty == Certainty::likely);
  CHECK(program.watch.verdict().culprits == std::vector<int>{2});
  CHECK(program.watch.verdict().waiting == std::vector<int>{0, 1, 3});
}

TEST_CASE("--hang-after is the time") {
  Program program(4, {.hang_after = 10});
  program.stacks[1] = sleeps;
  const int seconds = program.verdict_within(100);
  CHECK(seconds >= 10);
  CHECK(seconds <= 13);
}

TEST_CASE("a rank that computes may keep the others waiting for long") {
  Program program(4);
  program.stacks[3] = works;
  program.busy[3] = true;
  const int seconds = program.verdict_within(3000);
  CHECK(seconds >= 900);
  CHECK(seconds <= 905);
  CHECK(program.watch.verdict().culprits == std::vector<int>{3});
  CHECK(program.watch.verdict().finding == Finding::missing);
}

TEST_CASE("a program in which all compute is never told, and seldom looked at") {
  Program program(2);
  program.busy = {true, true};
  program.stacks = {works, works};
  CHECK(program.verdict_within(7200) == -1);
  CHECK(program.looks <= 30);
}

TEST_CASE("ranks that wait and compute in turn are healthy, wherever a look finds them") {
  Program program(2);
  for (int i = 0; i < 7200; ++i) {
    program.busy = {i % 20 < 10, true};
    program.stacks = {i % 20 < 10 ? works : waits, works};
    const auto action = program.second();
    if (action && action->kind == Kind::gather) CHECK_FALSE(program.gather());
  }
}

TEST_CASE("ranks that spin in a collective whose records move are healthy") {
  Program program(2);
  program.busy = {true, true};
  for (int i = 0; i < 3600; ++i) {
    program.flights = {at(i + 1, false), at(i + (i / 7) % 2, true)};
    const auto action = program.second();
    if (action && action->kind == Kind::gather) CHECK_FALSE(program.gather());
  }
}

TEST_CASE("ranks that spin in a collective whose records stand still wait for the one that is not there") {
  Program program(3);
  program.busy = {true, true, false};
  program.stacks[2] = sleeps;
  program.flights = {at(9, false), at(9, false), at(8, true)};
  const int seconds = program.verdict_within(600);
  CHECK(seconds > 0);
  CHECK(seconds <= 200);
  CHECK(program.watch.verdict().culprits == std::vector<int>{2});
  CHECK(program.watch.verdict().certainty == Certainty::certain);
}

TEST_CASE("bytes, pages, processes and phase lines are life") {
  for (int what = 0; what < 4; ++what) {
    CAPTURE(what);
    Program program(2);
    program.stacks[1] = sleeps;
    for (int i = 0; i < 1200; ++i) {
      if (i % 50 == 0) {
        auto& sample = program.samples[1];
        if (what == 0) sample.program.bytes += 5000;
        if (what == 1) sample.program.storage += 1;
        if (what == 2) sample.program.processes += 7;
        if (what == 3) sample.telemetry.tick += 1;
      }
      const auto action = program.second();
      if (action && action->kind == Kind::gather) CHECK_FALSE(program.gather());
    }
  }
}

TEST_CASE("a rank of which nothing is seen may wait as well: it is told late, and never while it is busy") {
  Program program(3);
  program.stacks[1].clear();
  CHECK(program.verdict_within(3000) >= 900);
  CHECK(program.watch.verdict().finding == Finding::missing);
  CHECK(program.watch.verdict().certainty == Certainty::unknown);
  CHECK(program.watch.verdict().culprits == std::vector<int>{1});

  for (const char* stack : {"", "TID 100:\n#0 0x1 dict_dealloc\n#1 0x2 Py_FinalizeEx\n#2 0x3 Py_RunMain\n"}) {
    Program leaving(3);
    leaving.stacks[1] = stack;
    leaving.busy[1] = true;
    CHECK(leaving.verdict_within(3000) == -1);
  }
}

TEST_CASE("nobody is seen to wait for another: only after the long time, and nobody is named") {
  Program program(2);
  program.stacks = {sleeps, sleeps};
  const int seconds = program.verdict_within(3000);
  CHECK(seconds >= 900);
  CHECK(program.watch.verdict().finding == Finding::stuck);
  CHECK(program.watch.verdict().culprits.empty());
}

TEST_CASE("stopped: one is told at once, all together never; under a debugger nothing is") {
  Program program(3);
  program.busy = {true, true, true};
  program.samples[1].process.state = 'T';
  const int seconds = program.verdict_within(60);
  CHECK(seconds >= 5);
  CHECK(seconds <= 8);
  CHECK(program.watch.verdict().finding == Finding::stopped);
  CHECK(program.watch.verdict().culprits == std::vector<int>{1});

  Program all(2);
  for (auto& sample : all.samples) sample.process.state = 'T';
  CHECK(all.verdict_within(1200) == -1);

  Program traced(2);
  traced.stacks[1] = sleeps;
  traced.samples[1].process.tracer = 7;
  CHECK(traced.verdict_within(1200) == -1);
}

TEST_CASE("a verdict is taken back when the run moves again") {
  Program program(2, {.hang_after = 10});
  program.stacks[1] = sleeps;
  REQUIRE(program.verdict_within(30) > 0);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(program.second());
  program.samples[1].program.bytes += 100'000;
  const auto action = program.second();
  REQUIRE(action);
  CHECK(action->kind == Kind::withdraw);
}

TEST_CASE("a rank that has left while others wait for it") {
  Program program(2, {.hang_after = 10});
  program.second();
  program.samples[1].exited = true;
  CHECK(program.verdict_within(40) > 0);
  CHECK(program.watch.verdict().finding == Finding::missing);
  CHECK(program.watch.verdict().culprits == std::vector<int>{1});
  CHECK(program.watch.verdict().what == "rank 1 has left while rank 0 still waits for others");
}

TEST_CASE("a rank that a file holds up, and different collectives") {
  Program program(3, {.hang_after = 10});
  program.stacks[0] = "TID 100:\n#0 0x1 read\n";
  program.samples[0].process.threads = {
      {.id = 100, .state = 'S', .wchan = "pipe_read", .system_call = "read", .path = "/data/pipe"}};
  CHECK(program.verdict_within(40) > 0);
  CHECK(program.watch.verdict().finding == Finding::blocked_io);
  CHECK(program.watch.verdict().culprits == std::vector<int>{0});
  CHECK(program.watch.verdict().what == "rank 0 is held up by the file /data/pipe");

  Program other(3, {.hang_after = 10});
  FlightRecord different = at(9, false);
  different.entries[0].operation = "broadcast";
  other.flights = {at(9, false), different, at(9, false)};
  CHECK(other.verdict_within(40) > 0);
  CHECK(other.watch.verdict().finding == Finding::outlier);
  CHECK(other.watch.verdict().culprits == std::vector<int>{1});
}
