#include "launcher/watch/program_verdict.h"

#include <algorithm>
#include <utility>

#include "launcher/watch/describe.h"
#include "launcher/watch/flight_verdict.h"

namespace tradewind::launcher {
namespace {

using Kind = ProgramPlace::Kind;

bool alive(const ProgramView& view) { return !view.testimony.sample.exited && !view.testimony.sample.lost; }
bool waits(const ProgramView& view) { return alive(view) && view.place.kind == Kind::collective; }
int rank_of(const ProgramView& view) { return view.testimony.sample.rank; }

class ProgramJudge {
 public:
  ProgramJudge(const std::vector<ProgramView>& views, bool computing) : views_(views), computing_(computing) {
    for (const ProgramView& view : views)
      if (waits(view)) waiting_.push_back(rank_of(view));
  }

  std::optional<Verdict> operator()() const {
    for (const auto rule : {&ProgramJudge::lost, &ProgramJudge::stopped, &ProgramJudge::ended, &ProgramJudge::recorded,
                            &ProgramJudge::blocked, &ProgramJudge::missing, &ProgramJudge::all_inside})
      if (auto verdict = (this->*rule)()) return verdict;
    return stuck();
  }

 private:
  std::vector<int> ranks_where(auto&& holds) const {
    std::vector<int> ranks;
    for (const ProgramView& view : views_)
      if (holds(view)) ranks.push_back(rank_of(view));
    return ranks;
  }
  const ProgramView& of(int rank) const {
    return *std::find_if(views_.begin(), views_.end(), [rank](const auto& view) { return rank_of(view) == rank; });
  }
  static std::string line_of(const ProgramView& view) {
    const proto::RankSample& sample = view.testimony.sample;
    std::string text = "rank ";
    text.append(std::to_string(sample.rank)).append(": ");
    if (sample.exited) return text + "has left";
    if (sample.lost) return text + "its host does not answer";
    text += text_of(view.place);
    if (view.busy) text += ", uses processor time";
    const auto& t = sample.telemetry;
    if (t.phase != "program" || t.step > 0) {
      text.append(", said it was at ").append(t.phase);
      if (t.step > 0) text.append(" ").append(std::to_string(t.step));
      if (!t.layer.empty()) text.append(" of ").append(t.layer);
    }
    if (sample.process.known) text.append(", state ").push_back(sample.process.state);
    const auto& threads = sample.process.threads;
    const auto main = std::find_if(threads.begin(), threads.end(), [&](const auto& t) { return t.id == sample.pid; });
    if (main != threads.end() && !main->wchan.empty()) text.append(" (").append(main->wchan).append(")");
    return text;
  }
  Verdict verdict(Finding finding, Certainty certainty, std::string what, std::vector<int> culprits) const {
    Verdict verdict{finding, certainty, std::move(what), std::move(culprits), {}, {}};
    constexpr std::size_t most = 16;
    const auto named = [&](int rank) {
      return std::find(verdict.culprits.begin(), verdict.culprits.end(), rank) != verdict.culprits.end();
    };
    for (const int rank : waiting_)
      if (!named(rank)) verdict.waiting.push_back(rank);
    for (const int rank : verdict.culprits) verdict.evidence.push_back(line_of(of(rank)));
    for (const ProgramView& view : views_)
      if (!named(rank_of(view)) && verdict.evidence.size() < most) verdict.evidence.push_back(line_of(view));
    return verdict;
  }

  std::optional<Verdict> lost() const {
    const auto ranks = ranks_where([](const auto& v) { return v.testimony.sample.lost; });
    if (ranks.empty()) return std::nullopt;
    return verdict(Finding::unreachable, Certainty::certain, "the host of " + ranks_text(ranks) + " does not answer",
                   ranks);
  }
  std::optional<Verdict> stopped() const {
    const auto ranks = ranks_where([](const auto& v) {
      return alive(v) && v.testimony.sample.process.state == 'T' && v.testimony.sample.process.tracer == 0;
    });
    if (ranks.empty()) return std::nullopt;
    return verdict(Finding::stopped, Certainty::certain,
                   ranks_text(ranks) + (ranks.size() == 1 ? " is" : " are") + " stopped by a signal", ranks);
  }

  // What the recorders say, unless the rank that does not come computes and may yet come.
  std::optional<Verdict> recorded() const {
    std::vector<FlightRecord> records;
    for (const ProgramView& view : views_) {
      if (!view.testimony.flight) continue;
      records.push_back(*view.testimony.flight);
      records.back().rank = rank_of(view);
    }
    if (records.empty()) return std::nullopt;
    auto found = align(records, static_cast<int>(views_.size()));
    if (!found) return std::nullopt;
    const auto& culprits = found->verdict.culprits;
    const bool mismatch = found->verdict.certainty == Certainty::certain && found->verdict.finding != Finding::missing;
    if (!mismatch && !believable(culprits)) return std::nullopt;
    // Held up by something that shows: that is why it does not come.
    if (found->verdict.finding == Finding::missing && culprits.size() == 1 &&
        of(culprits.front()).place.kind == Kind::file && alive(of(culprits.front())))
      return std::nullopt;
    Verdict result = verdict(found->verdict.finding, found->verdict.certainty, found->verdict.what, culprits);
    result.waiting = found->verdict.waiting;
    result.evidence.insert(mismatch ? result.evidence.begin() : result.evidence.end(), found->verdict.evidence.begin(),
                           found->verdict.evidence.end());
    return result;
  }

  // What uses no processor time stands still. Of what does only its records tell, and of one that computes nothing does
  // until it has had its time.
  bool believable(const std::vector<int>& culprits) const {
    const auto is_culprit = [&](const ProgramView& view) {
      return culprits.empty() || std::find(culprits.begin(), culprits.end(), rank_of(view)) != culprits.end();
    };
    bool active = false, computes = false, same = true;
    for (const ProgramView& view : views_) {
      active = active || (is_culprit(view) && (view.busy || view.spins));
      computes = computes || (is_culprit(view) && view.busy);
      same = same && (!alive(view) || !view.testimony.flight || view.same_record);
    }
    return !active || (same && (!computes || computing_));
  }

  std::optional<Verdict> ended() const {
    const auto ranks = ranks_where([](const auto& v) { return v.testimony.sample.exited; });
    if (ranks.empty() || waiting_.empty()) return std::nullopt;
    if (!others_wait(ranks)) return std::nullopt;
    return verdict(Finding::missing, Certainty::likely,
                   ranks_text(ranks) + (ranks.size() == 1 ? " has" : " have") + " left while " + ranks_text(waiting_) +
                       " still " + (waiting_.size() == 1 ? "waits" : "wait") + " for others",
                   ranks);
  }

  std::optional<Verdict> blocked() const {
    const auto ranks = ranks_where([](const auto& v) { return alive(v) && v.place.kind == Kind::file && !v.busy; });
    if (ranks.empty() || (waiting_.empty() && !computing_)) return std::nullopt;
    Verdict result = verdict(Finding::blocked_io, Certainty::certain,
                             ranks_text(ranks) + (ranks.size() == 1 ? " is" : " are") + " held up by the file " +
                                 of(ranks.front()).place.what,
                             ranks);
    for (const int rank : ranks) {
      const auto& sample = of(rank).testimony.sample;
      for (const auto& thread : sample.process.threads)
        if (thread.id == sample.pid && !thread.path.empty())
          result.evidence.insert(result.evidence.begin() + 1,
                                 "rank " + std::to_string(rank) + ": thread " + std::to_string(thread.id) +
                                     " in state " + thread.state + " in " + thread.system_call + " of " + thread.path +
                                     (thread.wchan.empty() ? "" : " (" + thread.wchan + ")"));
    }
    return result;
  }

  // Everyone but these waits for others.
  bool others_wait(const std::vector<int>& absent) const {
    return std::all_of(views_.begin(), views_.end(), [&](const ProgramView& view) {
      return !alive(view) || waits(view) || std::find(absent.begin(), absent.end(), rank_of(view)) != absent.end();
    });
  }

  std::optional<Verdict> missing() const {
    if (waiting_.empty()) return std::nullopt;
    const auto absent = ranks_where(
        [](const auto& v) { return alive(v) && v.place.kind != Kind::collective && v.place.kind != Kind::device; });
    if (absent.empty()) return std::nullopt;
    const bool busy = std::any_of(absent.begin(), absent.end(), [this](int rank) { return of(rank).busy; });
    // One of which nothing is seen may wait as well, or be leaving.
    const bool seen =
        std::all_of(absent.begin(), absent.end(), [this](int rank) { return of(rank).place.kind != Kind::unknown; });
    // What it ends with is told soon: Python takes its time.
    const bool leaves = std::any_of(absent.begin(), absent.end(),
                                    [this](int rank) { return of(rank).busy && of(rank).place.kind == Kind::leaving; });
    if (leaves || ((busy || !seen) && !computing_)) return std::nullopt;
    if (busy && !seen) return std::nullopt;
    if (std::any_of(absent.begin(), absent.end(), [this](int rank) { return of(rank).spins; })) return std::nullopt;
    return verdict(Finding::missing, seen ? Certainty::likely : Certainty::unknown,
                   ranks_text(absent) + (absent.size() == 1 ? " does" : " do") + " not come to where " +
                       ranks_text(waiting_) + (waiting_.size() == 1 ? " waits: " : " wait: ") +
                       of(waiting_.front()).place.what,
                   absent);
  }

  std::optional<Verdict> all_inside() const {
    const auto living = ranks_where([](const auto& v) { return alive(v); });
    if (waiting_.empty() || waiting_.size() != living.size()) return std::nullopt;
    if (std::any_of(views_.begin(), views_.end(), [](const auto& v) { return v.busy || v.spins; })) return std::nullopt;
    const bool one_call = std::all_of(waiting_.begin(), waiting_.end(), [this](int rank) {
      return of(rank).place.what == of(waiting_.front()).place.what;
    });
    if (!one_call)
      return verdict(Finding::disagreement, Certainty::likely,
                     "all ranks wait for others, and not in the same call: each may have made a call that the others "
                     "did not",
                     {});
    return verdict(Finding::network, Certainty::unknown,
                   ranks_text(waiting_) + " all wait in " + of(waiting_.front()).place.what +
                       ": ranks that do not mean the same call, or the network between them",
                   {});
  }

  std::optional<Verdict> stuck() const {
    if (!computing_) return std::nullopt;
    const auto living = ranks_where([](const auto& v) { return alive(v); });
    if (std::any_of(views_.begin(), views_.end(), [](const auto& v) { return v.busy || v.spins; })) return std::nullopt;
    return verdict(Finding::stuck, Certainty::unknown,
                   ranks_text(living) + (living.size() == 1 ? " shows" : " show") + " no sign of life, and " +
                       (living.size() == 1 ? "waits" : "none is seen to wait") + " for no other rank",
                   {});
  }

  const std::vector<ProgramView>& views_;
  bool computing_;
  std::vector<int> waiting_;
};

}  // namespace

std::optional<Verdict> judge_programs(const std::vector<ProgramView>& views, bool computing) {
  return ProgramJudge(views, computing)();
}

}  // namespace tradewind::launcher
