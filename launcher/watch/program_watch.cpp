#include "launcher/watch/program_watch.h"

#include <algorithm>

#include "launcher/watch/rank_state.h"

namespace tradewind::launcher {
namespace {

using proto::RankSample;
using Kind = ProgramPlace::Kind;

constexpr std::uint64_t bytes_that_count = 4096;
constexpr double cpu_share_of_busy = 0.02, switches_of_busy = 3;  // a second
constexpr double seconds_blind = 2.5;

// Where its newest collectives are.
std::string print_of(const FlightRecord& record) {
  if (record.entries.empty()) return {};
  const FlightEntry& newest = record.entries.back();
  return newest.group + "|" + std::to_string(newest.sequence) + (newest.done ? "|done" : "|waits");
}

// A sign that the run as a whole gets on.
bool lives(const RankSample& before, const RankSample& after) {
  const auto &a = before.program, &b = after.program;
  if (before.exited != after.exited || before.lost != after.lost) return true;
  if (after.telemetry.tick != before.telemetry.tick) return true;
  return a.known && b.known &&
         (b.bytes >= a.bytes + bytes_that_count || b.storage > a.storage || a.processes != b.processes);
}

}  // namespace

ProgramWatch::ProgramWatch(int ranks, WatchSettings settings, TimePoint now)
    : settings_(settings),
      ranks_(static_cast<std::size_t>(ranks)),
      last_sample_(now),
      last_life_(now),
      next_look_(settings.hang_after.value_or(settings.idle)),
      next_quiet_look_(next_look_) {}

// Whether it was busy; its own spinning does not count.
bool ProgramWatch::note_rank(const RankSample& sample, Rank& rank, double elapsed) {
  const auto &a = rank.last->program, &b = sample.program;
  bool busy = false;
  if (alive(sample) && a.known && b.known && elapsed > 0) {
    const double starved = sample.process.starved_seconds - rank.last->process.starved_seconds;
    busy = b.cpu_seconds - a.cpu_seconds >= cpu_share_of_busy * elapsed ||
           static_cast<double>(b.switches) - static_cast<double>(a.switches) >= switches_of_busy * elapsed ||
           starved >= 0.5 * elapsed;
  }
  const bool stopped = alive(sample) && is_stopped(sample) && is_stopped(*rank.last);
  rank.stopped = stopped ? rank.stopped + elapsed : 0;
  rank.busy = busy && !rank.spins;
  rank.quiet = rank.busy ? 0 : rank.quiet + elapsed;
  return rank.busy;
}

ProgramWatch::Signs ProgramWatch::note(const std::vector<RankSample>& samples, double elapsed) {
  Signs signs;
  const bool blind = blind_ > 0;
  blind_ = std::max(0.0, blind_ - elapsed);
  for (const RankSample& sample : samples) {
    if (sample.rank < 0 || sample.rank >= static_cast<int>(ranks_.size())) continue;
    Rank& rank = ranks_[static_cast<std::size_t>(sample.rank)];
    if (!rank.last) {
      signs.life = true;
    } else if (blind) {
      rank.quiet += rank.busy ? 0 : elapsed;
      // What needs no help of the process.
      signs.life = signs.life || rank.last->exited != sample.exited || rank.last->lost != sample.lost ||
                   rank.last->telemetry.tick != sample.telemetry.tick;
    } else {
      signs.life = signs.life || lives(*rank.last, sample);
      const bool quiet_before = rank.quiet > 0;
      if (note_rank(sample, rank, elapsed) && quiet_before) signs.busy_again = true;
    }
    rank.last = sample;
  }
  return signs;
}

void ProgramWatch::wake() {
  still_ = 0;
  next_look_ = next_quiet_look_ = idle();
  for (Rank& rank : ranks_) {
    rank.quiet = 0;
    rank.spins = false;
  }
}

double ProgramWatch::least_quiet() const {
  double least = still_;
  for (const Rank& rank : ranks_)
    if (rank.last && alive(*rank.last)) least = std::min(least, rank.quiet);
  return least;
}

bool ProgramWatch::due() const {
  const bool stopped =
      std::any_of(ranks_.begin(), ranks_.end(), [this](const Rank& rank) { return rank.stopped >= settings_.stopped; });
  return stopped || still_ >= next_look_ || least_quiet() >= next_quiet_look_;
}

std::optional<WatchAction> ProgramWatch::sampled(const std::vector<RankSample>& samples, TimePoint now) {
  const double elapsed = std::min(std::chrono::duration<double>(now - last_sample_).count(), 2 * settings_.interval);
  last_sample_ = now;
  const Signs signs = note(samples, elapsed);
  if (state_ == State::gathering) return std::nullopt;
  if (held_by_user(samples)) {
    wake();
    for (Rank& rank : ranks_) rank.stopped = 0;
    last_life_ = now;
    return std::nullopt;
  }
  if (signs.life) {
    wake();
    last_life_ = now;
  } else {
    still_ += elapsed;
    if (least_quiet() < idle()) next_quiet_look_ = idle();
  }
  if (state_ == State::told) {
    if (!signs.life && !signs.busy_again) return std::nullopt;
    if (verdict_.finding == Finding::stopped && !verdict_.culprits.empty() &&
        ranks_[static_cast<std::size_t>(verdict_.culprits.front())].stopped > 0)
      return std::nullopt;
    state_ = State::watching;
    wake();
    last_life_ = now;
    return WatchAction{WatchAction::Kind::withdraw};
  }
  if (!due()) return std::nullopt;
  seconds_to_suspect_ = std::chrono::duration<double>(now - last_life_).count();
  state_ = State::gathering;
  return WatchAction{WatchAction::Kind::gather};
}

ProgramView ProgramWatch::view_of(const Testimony& testimony) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(testimony.sample.rank));
  ProgramView view{.testimony = testimony, .place = place_of(testimony)};
  const bool waits = view.place.kind == Kind::collective || view.place.kind == Kind::device;
  const bool busy = rank.quiet < std::min(idle(), still_);
  if (busy && waits && rank.busy) rank.spins = true;
  view.spins = rank.spins;
  view.busy = busy && !waits && !rank.spins;
  if (busy && waits && !rank.spins) view.place.kind = Kind::unknown;  // it came there just now
  std::string record = testimony.flight ? print_of(*testimony.flight) : std::string();
  view.same_record = !record.empty() && record == rank.record;
  rank.record = std::move(record);
  return view;
}

// Where a busy rank keeps the others waiting, they must have waited all that time.
bool ProgramWatch::waited_for(const std::vector<ProgramView>& views) const {
  constexpr double most_of_it = 0.8;
  return still_ >= computing() && std::all_of(views.begin(), views.end(), [&](const ProgramView& view) {
           const Rank& rank = ranks_.at(static_cast<std::size_t>(view.testimony.sample.rank));
           return view.busy || view.spins || !alive(view.testimony.sample) || rank.quiet >= most_of_it * computing();
         });
}

// No verdict: when to look again.
std::optional<WatchAction> ProgramWatch::put_off() {
  constexpr double longest = 300;
  const double pause = std::min(std::max(still_, idle()), std::max(idle(), std::min(longest, computing())));
  next_look_ = still_ + pause;
  if (still_ < computing()) next_look_ = std::min(next_look_, computing());
  next_quiet_look_ = least_quiet() + pause;
  return std::nullopt;
}

std::optional<WatchAction> ProgramWatch::testified(const std::vector<Testimony>& testimonies, TimePoint now) {
  if (state_ != State::gathering) return std::nullopt;
  state_ = State::watching;
  blind_ = seconds_blind;
  std::vector<ProgramView> views;
  std::vector<RankSample> samples;
  bool moved = false, stopped = false;
  for (const Testimony& testimony : testimonies) {
    const RankSample& sample = testimony.sample;
    const Rank& rank = ranks_.at(static_cast<std::size_t>(sample.rank));
    moved = moved ||
            (rank.last && (rank.last->telemetry.tick != sample.telemetry.tick || rank.last->exited != sample.exited));
    stopped = stopped || (alive(sample) && is_stopped(sample) && rank.stopped >= settings_.stopped);
    samples.push_back(sample);
    views.push_back(view_of(testimony));
  }
  if (held_by_user(samples) || (moved && !stopped)) return put_off();
  const auto verdict = judge_programs(views, waited_for(views));
  if (!verdict || (verdict->finding == Finding::stopped) != stopped) return put_off();
  verdict_ = *verdict;
  seconds_to_verdict_ = std::chrono::duration<double>(now - last_life_).count();
  state_ = State::told;
  return WatchAction{WatchAction::Kind::conclude};
}

}  // namespace tradewind::launcher
