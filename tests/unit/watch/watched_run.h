#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "launcher/watch/watch.h"
#include "tests/unit/watch/samples.h"

namespace tradewind::testing {

// A run of four ranks whose samples the test changes, a second at a time.
struct WatchedRun {
  explicit WatchedRun(launcher::WatchSettings settings = {}, int count = 4)
      : now(TimePoint() + std::chrono::hours(1)), watch(count, settings, now) {
    samples = ranks(count, [](int rank) { return computing(rank); });
  }
  // All ranks get on.
  void advance() {
    for (RankSample& sample : samples) ++sample.telemetry.tick;
  }
  std::optional<launcher::WatchAction::Kind> tick(double seconds = 1) {
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
      if (tick() == launcher::WatchAction::Kind::gather) return second;
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
  launcher::Watch watch;
  std::vector<RankSample> samples;
};

}  // namespace tradewind::testing
