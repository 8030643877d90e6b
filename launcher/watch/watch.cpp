#include "launcher/watch/watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "launcher/watch/rank_state.h"

namespace tradewind::launcher {
namespace {

using proto::RankSample;

// Fewer bytes are what a rank says while it waits: a log line, a keep-alive.
constexpr std::uint64_t bytes_that_count = 4096;

std::uint64_t grown(std::uint64_t before, std::uint64_t after) { return after > before ? after - before : 0; }

// Signs of life between two samples of a rank.
std::uint64_t advances(const RankSample& before, const RankSample& after) {
  const auto &a = before.telemetry, &b = after.telemetry;
  const auto &p = before.process, &q = after.process;
  std::uint64_t count = grown(a.tick, b.tick) + grown(a.started, b.started) + grown(a.done, b.done);
  if (b.device_progress > a.device_progress) ++count;  // marks are no count
  const std::uint64_t bytes = grown(a.bytes_read, b.bytes_read) + grown(a.bytes_written, b.bytes_written);
  if (bytes > 0) ++count;
  if (p.known && q.known &&
      grown(p.read_characters, q.read_characters) + grown(p.written_characters, q.written_characters) >=
          bytes_that_count)
    ++count;
  if (p.known && q.known && q.read_storage > p.read_storage) ++count;
  if (before.exited != after.exited || before.lost != after.lost || before.pid != after.pid) ++count;
  return count;
}

bool waits(const RankSample& sample) { return sample.telemetry.in_collective(); }

// An open file of the rank has not moved between the two samples.
bool file_stands_still(const RankSample& before, const RankSample& after) {
  const auto &a = before.telemetry, &b = after.telemetry;
  const auto longest_open = [](const proto::Telemetry& telemetry) {
    double longest = 0;
    for (const auto& file : telemetry.files) longest = std::max(longest, file.open_seconds);
    return longest;
  };
  return alive(after) && !a.files.empty() && !b.files.empty() && a.bytes_read == b.bytes_read &&
         a.bytes_written == b.bytes_written && longest_open(b) >= longest_open(a);
}

}  // namespace

Watch::Watch(int ranks, WatchSettings settings, TimePoint now)
    : settings_(settings), ranks_(static_cast<std::size_t>(ranks)), last_sample_(now), last_advance_(now) {}

double Watch::step_budget() const { return std::max({settings_.floor, 5 * usual_gap_, 2 * longest_gap_}); }

// How long nobody may move when a rank is at a file: what is left of the time of files, and enough to see that they
// stand still at all.
double Watch::file_budget(const RankSample& sample) const {
  const double limit = settings_.hang_after.value_or(settings_.output);
  const double already = std::max(0.0, ranks_[static_cast<std::size_t>(sample.rank)].file - frozen_);
  return std::clamp(limit - already, std::min(limit, step_budget()), limit);
}

std::optional<WatchAction> Watch::still_file() {
  const double limit = settings_.hang_after.value_or(settings_.output);
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    if (ranks_[i].file < limit || ranks_[i].file_told) continue;
    ranks_[i].file_told = true;
    return WatchAction{WatchAction::Kind::file, static_cast<int>(i)};
  }
  return std::nullopt;
}

double Watch::budget_of(const std::vector<RankSample>& samples) const {
  double budget = 0, files = 0;
  bool connecting = false;
  for (const RankSample& sample : samples) {
    if (!alive(sample)) continue;
    const auto& t = sample.telemetry;
    connecting = connecting || t.done == 0;
    if (waits(sample)) continue;
    if (!t.files.empty())
      files = std::max(files, file_budget(sample));
    else if (t.phase == "output" || t.phase == "close")
      budget = std::max(budget, settings_.output);
    else if (t.phase == "input")
      budget = std::max(budget, settings_.input);
    else if (t.phase == "first step")
      budget = std::max(budget, settings_.first_step);
    else if (t.phase == "step")
      budget = std::max(budget, step_budget());
    else
      budget = std::max(budget, settings_.load);
  }
  if (settings_.hang_after) return budget == 0 && files > 0 ? files : *settings_.hang_after;
  if (budget > 0 || files > 0) return std::max(budget, files);
  return connecting ? std::max(settings_.connecting, step_budget()) : step_budget();
}

// Of a budget that is given or fixed its last seconds are those of the confirmations.
double Watch::suspicion() const {
  const double before = budget_ - settings_.confirmations * settings_.interval;
  return std::max(before, std::min(budget_, step_budget()));
}

bool Watch::note_advances(const std::vector<RankSample>& samples, double elapsed) {
  std::uint64_t most = 0;
  double starved = 0;
  bool seen = false, stepping = false, first = false;
  for (const RankSample& sample : samples) {
    if (sample.rank < 0 || sample.rank >= static_cast<int>(ranks_.size())) continue;
    Rank& rank = ranks_[static_cast<std::size_t>(sample.rank)];
    const bool stopped = alive(sample) && is_stopped(sample);
    const bool stopped_before = rank.last && is_stopped(*rank.last);
    rank.stopped = stopped && stopped_before ? rank.stopped + elapsed : 0;
    if (rank.last) {
      // The phase of the gap's beginning: a long one may end in the next phase.
      stepping = stepping || rank.last->telemetry.phase == "step";
      first = first || rank.last->telemetry.phase == "first step";
      const std::uint64_t own = advances(*rank.last, sample);
      if (own > 0) rank.stopped = 0;  // it ran in between
      most = std::max(most, own);
      rank.file_still = file_stands_still(*rank.last, sample);
      if (alive(sample) && !waits(sample) && sample.process.known && rank.last->process.known)
        starved = std::max(starved, sample.process.starved_seconds - rank.last->process.starved_seconds);
    } else {
      seen = true;
    }
    rank.last = sample;
  }
  const double counts = elapsed - std::clamp(starved, 0.0, elapsed);
  for (Rank& rank : ranks_) {
    rank.file = rank.file_still ? rank.file + counts : 0;
    rank.file_told = rank.file_still && rank.file_told;
  }
  if (most == 0 && !seen) {
    frozen_ += counts;
    return false;
  }
  // Of what came before the first sample nothing is known.
  if (!seen && (stepping || first)) learn(frozen_ + elapsed, most, first);
  frozen_ = 0;
  return true;
}

// A stretch without an advance is known to half a sample; within one sample it cannot be seen.
void Watch::learn(double seconds, std::uint64_t advances, bool first_step) {
  const double gap = seconds / static_cast<double>(advances);
  constexpr double kept = 0.9;  // of what is known, by each advance
  const double weight = 1 - std::pow(kept, static_cast<double>(advances));
  usual_gap_ = usual_gap_ == 0 ? gap : usual_gap_ + weight * (gap - usual_gap_);
  if (frozen_ == 0) return;
  if (!first_step) {
    longest_gap_ = std::max(longest_gap_, seconds);
  } else {
    // What happens only once in the first step, such as setting up a device, says nothing of later ones.
    longest_gap_ = std::max(longest_gap_, std::min(seconds, longest_first_gap_));
    longest_first_gap_ = std::max(longest_first_gap_, seconds);
  }
}

bool Watch::somebody_stopped() const {
  return std::any_of(ranks_.begin(), ranks_.end(),
                     [this](const Rank& rank) { return rank.stopped >= settings_.stopped; });
}

void Watch::forget() {
  suspect_ = false;
  confirmed_ = 0;
  frozen_ = 0;
}

std::optional<WatchAction> Watch::sampled(const std::vector<RankSample>& samples, TimePoint now) {
  const double elapsed = std::min(std::chrono::duration<double>(now - last_sample_).count(), 2 * settings_.interval);
  last_sample_ = now;
  const bool advanced = note_advances(samples, elapsed);
  if (advanced) last_advance_ = now;
  budget_ = budget_of(samples);
  if (state_ == State::gathering) return std::nullopt;
  if (held_by_user(samples)) {
    forget();
    for (Rank& rank : ranks_) rank.stopped = rank.file = 0;
    last_advance_ = now;
    return std::nullopt;
  }
  const bool stopped = somebody_stopped();
  if (state_ == State::told) {
    if (!advanced || stopped) return std::nullopt;
    state_ = State::watching;
    forget();
    return WatchAction{WatchAction::Kind::withdraw};
  }
  if (advanced && !stopped) {
    forget();
    return still_file();
  }
  const double since = std::chrono::duration<double>(now - last_advance_).count();
  if (!suspect_ && (stopped || frozen_ >= suspicion())) {
    suspect_ = true;
    seconds_to_suspect_ = since;
  } else if (suspect_) {
    ++confirmed_;
  }
  // A stopped process needs no waiting for others.
  if (!suspect_ || (!stopped && confirmed_ < settings_.confirmations)) return std::nullopt;
  state_ = State::gathering;
  return WatchAction{WatchAction::Kind::gather};
}

std::optional<WatchAction> Watch::testified(const std::vector<Testimony>& testimonies, TimePoint now) {
  std::vector<RankSample> samples;
  samples.reserve(testimonies.size());
  for (const Testimony& testimony : testimonies) samples.push_back(testimony.sample);
  return gathered(samples, now);
}

std::optional<WatchAction> Watch::gathered(const std::vector<RankSample>& samples, TimePoint now) {
  if (state_ != State::gathering) return std::nullopt;
  bool moved = false;
  for (const RankSample& sample : samples) {
    const auto& last = ranks_[static_cast<std::size_t>(sample.rank)].last;
    // Looking at a process makes it read and write nothing, but only its own word is proof enough of life here.
    moved = moved || (last && sample.telemetry.known && sample.telemetry.tick != last->telemetry.tick) ||
            (last && last->exited != sample.exited);
  }
  const bool stopped = std::any_of(samples.begin(), samples.end(),
                                   [](const RankSample& sample) { return alive(sample) && is_stopped(sample); });
  if (held_by_user(samples) || (moved && !stopped)) {
    state_ = State::watching;
    last_advance_ = now;
    forget();
    return std::nullopt;
  }
  verdict_ = judge(samples);
  seconds_to_verdict_ = std::chrono::duration<double>(now - last_advance_).count();
  state_ = State::told;
  return WatchAction{WatchAction::Kind::conclude};
}

}  // namespace tradewind::launcher
