#include "launcher/supervisor/stop_sequence.h"

#include <doctest/doctest.h>

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
using Means = std::vector<StopMeans>;

TEST_CASE("an orderly stop asks, terminates, kills, each after the grace of the one before") {
  const TimePoint start{};
  StopSequence sequence = StopSequence::orderly(start);
  CHECK(sequence.deadline() == start);
  CHECK(sequence.advance(start) == Means{StopMeans::ask});
  CHECK(sequence.deadline() == start + 3s);
  CHECK(sequence.advance(start + 2999ms).empty());
  CHECK(sequence.advance(start + 3s) == Means{StopMeans::terminate});
  CHECK(sequence.advance(start + 5s) == Means{StopMeans::kill});
  CHECK(sequence.advance(start + 10s) == Means{StopMeans::abandon});
  CHECK_FALSE(sequence.deadline());
  CHECK(sequence.advance(start + 100s).empty());
}

TEST_CASE("a grace counts from when its means was used, however late that was") {
  const TimePoint start{};
  StopSequence sequence = StopSequence::prompt(start);
  CHECK(sequence.advance(start + 60s) == Means{StopMeans::terminate});
  CHECK(sequence.deadline() == start + 62s);
}

TEST_CASE("hastening goes straight to the kill, once") {
  const TimePoint start{};
  StopSequence sequence = StopSequence::orderly(start);
  sequence.advance(start);
  sequence.hasten(start + 1s);
  CHECK(sequence.advance(start + 1s) == Means{StopMeans::kill});
  sequence.hasten(start + 2s);
  CHECK(sequence.advance(start + 2s).empty());
  CHECK(sequence.advance(start + 6s) == Means{StopMeans::abandon});
}
