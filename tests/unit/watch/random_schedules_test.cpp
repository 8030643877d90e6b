// Ten thousand healthy runs that look as unhealthy as they may, and none gets a verdict. With sanitizers, a thousand.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "launcher/watch/watch.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace tradewind::testing;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr unsigned runs = 1000;
#else
constexpr unsigned runs = 10000;
#endif

class HealthyRun {
 public:
  explicit HealthyRun(unsigned seed) : random_(seed), ranks_(pick(1, 6)) {
    samples_ = ranks(ranks_, [](int rank) { return computing(rank, 0); });
    gap_ = std::uniform_real_distribution<>(0.05, 4.5)(random_);
    slow_rank_ = pick(0, ranks_ - 1);
  }

  // How often the watch was about to judge within that many seconds.
  int said(int seconds, WatchSettings settings = {}) {
    TimePoint now = TimePoint() + std::chrono::hours(1);
    Watch watch(ranks_, settings, now);
    int count = 0;
    set_phase("load", 100);
    for (int second = 0; second < seconds; ++second) {
      const double elapsed = chance(0.01) ? std::uniform_real_distribution<>(1, 600)(random_)  // the machine slept
                                          : std::uniform_real_distribution<>(0.9, 1.3)(random_);
      now += std::chrono::milliseconds(static_cast<int>(elapsed * 1000));
      live(std::min(elapsed, 1.3));
      const auto action = watch.sampled(samples_, now);
      count += action && action->kind != WatchAction::Kind::file ? 1 : 0;
    }
    return count;
  }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  void set_phase(const std::string& name, double longest) {
    for (auto& sample : samples_) sample.telemetry.phase = name, ++sample.telemetry.tick;
    still_ = std::uniform_real_distribution<>(0, longest)(random_);
  }

  // Some seconds of a run: phases go by, layers advance after gaps, everybody waits for the slow rank at times.
  void live(double seconds) {
    if (hold(seconds)) return;
    still_ -= seconds;
    if (still_ > 0) return;
    auto& slow = samples_[static_cast<std::size_t>(slow_rank_)].telemetry;
    const std::string phase = slow.phase;
    if (phase == "load") return set_phase("input", 100);
    if (phase == "input") return set_phase("first step", 100);
    if (phase == "first step") {
      set_phase("step", 0);
    } else if (phase == "output") {
      slow.files.clear();
      set_phase("step", 0);
    } else if (chance(0.03)) {
      slow.files = {{"write", "out.grib", 0}};
      return set_phase("output", 100);
    }
    for (auto& sample : samples_) {
      auto& t = sample.telemetry;
      const bool waits = sample.rank != slow_rank_ && ranks_ > 1 && chance(0.8);
      t.enqueued = t.started = t.done + (waits ? 1 : 0);
      t.call.sequence = t.enqueued;
      if (chance(0.3)) ++t.done, t.enqueued = std::max(t.enqueued, t.done), t.started = std::max(t.started, t.done);
      ++t.tick;
    }
    still_ = std::min(4.5, gap_ * std::uniform_real_distribution<>(0.2, 1.2)(random_));
  }

  // A debugger, a suspension of all, a rank without CPU: nothing moves, and that is nobody's fault.
  bool hold(double seconds) {
    if (held_ <= 0) {
      for (auto& sample : samples_) sample.process.state = 'R', sample.process.tracer = 0;
      if (!chance(0.01)) return false;
      held_ = std::uniform_real_distribution<>(1, 60)(random_);
      how_ = pick(0, 2);
      // What a moment's stop leaves of an ongoing wait starts anew.
    }
    held_ -= seconds;
    auto& slow = samples_[static_cast<std::size_t>(slow_rank_)];
    if (how_ == 0) slow.process.tracer = 99, slow.process.state = 't';
    if (how_ == 1)
      for (auto& sample : samples_) sample.process.state = 'T';
    if (how_ == 2) {
      slow.telemetry.started = slow.telemetry.enqueued = slow.telemetry.done;  // it has work to do
      slow.process.starved_seconds += seconds;
    }
    return true;
  }

  std::mt19937 random_;
  int ranks_;
  std::vector<RankSample> samples_;
  double gap_ = 1, still_ = 0, held_ = 0;
  int slow_rank_ = 0, how_ = 0;
};

}  // namespace

TEST_CASE("no healthy run gets a verdict") {
  MESSAGE(runs, " runs");
  for (unsigned seed = 0; seed < runs; ++seed) {
    const int said = HealthyRun(seed).said(300);
    REQUIRE_MESSAGE(said == 0, "seed ", seed);
  }
}

TEST_CASE("and the runs are such that a hastier watch would have spoken") {
  int spoken = 0;
  for (unsigned seed = 0; seed < 100; ++seed)
    spoken += HealthyRun(seed).said(300, {.hang_after = 3, .confirmations = 0}) > 0 ? 1 : 0;
  CHECK(spoken > 30);
}
