// Notices that a run does not get on, and says who holds it up. Never stops a run that moves, however slowly. Pure:
// samples of all ranks go in at a steady interval, what is to be done comes out; time is an argument. The shell
// (watcher.h) takes the samples and gathers the evidence. Not thread-safe.
//
// A run is suspect when no rank has advanced for its budget, and confirmed after `confirmations` more samples without
// an advance; these are a part of budgets that are long enough for both. The budget comes from what the ranks are at
// that wait for no other: loading, input, output and the first step have fixed ones, steps one that is learned from the
// gaps between advances of this run: the largest of `floor`, 5 times the usual gap and twice the longest. Time in which
// the watch itself did not run, in which ranks were ready but got no CPU, in which a debugger was attached or all ranks
// were stopped together does not count.
//
// Files are written behind, so a run may go on for long while one takes nothing more. That is only told; but when the
// run stands still for it in the end, the time for which the file has already stood still counts.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "launcher/watch/run_watch.h"
#include "launcher/watch/settings.h"
#include "launcher/watch/verdict.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

class Watch : public RunWatch {
 public:
  Watch(int ranks, WatchSettings settings, TimePoint now);

  std::optional<WatchAction> sampled(const std::vector<proto::RankSample>& samples, TimePoint now) override;
  // Samples with evidence, after `gather`.
  std::optional<WatchAction> gathered(const std::vector<proto::RankSample>& samples, TimePoint now);
  std::optional<WatchAction> testified(const std::vector<Testimony>& testimonies, TimePoint now) override;

  const Verdict& verdict() const override { return verdict_; }
  double seconds_to_suspect() const override { return seconds_to_suspect_; }
  double seconds_to_verdict() const override { return seconds_to_verdict_; }
  double file_seconds(int rank) const override { return ranks_.at(static_cast<std::size_t>(rank)).file; }
  // The budget in force, in seconds: for reports and tests.
  double budget() const { return budget_; }

 private:
  enum class State { watching, gathering, told };
  struct Rank {
    std::optional<proto::RankSample> last;
    double stopped = 0;  // seconds
    double file = 0;     // seconds for which its open file has stood still
    bool file_still = false, file_told = false;
  };
  double file_budget(const proto::RankSample& sample) const;
  std::optional<WatchAction> still_file();
  bool note_advances(const std::vector<proto::RankSample>& samples, double elapsed);
  double budget_of(const std::vector<proto::RankSample>& samples) const;
  double step_budget() const;
  double suspicion() const;
  void learn(double seconds, std::uint64_t advances, bool first_step);
  bool somebody_stopped() const;
  void forget();

  WatchSettings settings_;
  std::vector<Rank> ranks_;
  TimePoint last_sample_, last_advance_;
  State state_ = State::watching;
  double frozen_ = 0;  // seconds without an advance that count
  int confirmed_ = 0;
  bool suspect_ = false;
  double budget_ = 0;
  double usual_gap_ = 0, longest_gap_ = 0, longest_first_gap_ = 0;
  double seconds_to_suspect_ = 0, seconds_to_verdict_ = 0;
  Verdict verdict_;
};

}  // namespace tradewind::launcher
