#include "launcher/watch/verdict.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "launcher/watch/calls.h"
#include "launcher/watch/describe.h"

namespace tradewind::launcher {
namespace {

using proto::RankSample;

bool waits(const RankSample& sample) { return !sample.exited && !sample.lost && sample.telemetry.in_collective(); }

const proto::ThreadFacts* thread_at_file(const RankSample& sample) {
  const proto::ThreadFacts* found = nullptr;
  for (const auto& thread : sample.process.threads)
    if (!thread.path.empty() && (found == nullptr || thread.state == 'D')) found = &thread;
  return found;
}

class Judge {
 public:
  explicit Judge(const std::vector<RankSample>& samples) : samples_(samples) {
    for (const RankSample& sample : samples)
      if (waits(sample)) waiting_.push_back(sample.rank);
  }

  Verdict operator()() const {
    for (const auto rule : {&Judge::lost, &Judge::stopped, &Judge::blocked, &Judge::mismatched, &Judge::devices,
                            &Judge::missing, &Judge::all_inside})
      if (auto verdict = (this->*rule)()) return *verdict;
    return stuck();
  }

 private:
  std::vector<int> ranks_where(auto&& holds) const {
    std::vector<int> ranks;
    for (const RankSample& sample : samples_)
      if (holds(sample)) ranks.push_back(sample.rank);
    return ranks;
  }
  const RankSample& of(int rank) const {
    return *std::find_if(samples_.begin(), samples_.end(), [rank](const auto& s) { return s.rank == rank; });
  }
  // Culprits are described first, then one of those who wait.
  Verdict verdict(Finding finding, Certainty certainty, std::string what, std::vector<int> culprits) const {
    Verdict verdict{finding, certainty, std::move(what), std::move(culprits), {}, {}};
    const std::set<int> named(verdict.culprits.begin(), verdict.culprits.end());
    for (const int rank : waiting_)
      if (!named.contains(rank)) verdict.waiting.push_back(rank);
    for (const int rank : verdict.culprits) add(verdict, rank);
    if (named.empty())
      for (const RankSample& sample : samples_) add(verdict, sample.rank);
    else if (!verdict.waiting.empty())
      add(verdict, verdict.waiting.front());
    return verdict;
  }
  void add(Verdict& verdict, int rank) const {
    constexpr std::size_t most = 16;
    if (verdict.evidence.size() < most)
      verdict.evidence.push_back("rank " + std::to_string(rank) + ": " + place_text(of(rank)));
  }

  std::optional<Verdict> lost() const {
    const auto ranks = ranks_where([](const auto& s) { return s.lost; });
    if (ranks.empty()) return std::nullopt;
    std::set<std::string> hosts;
    for (const int rank : ranks) hosts.insert(of(rank).host);
    std::string names;
    for (const auto& host : hosts) names += (names.empty() ? "" : ", ") + host;
    return verdict(Finding::unreachable, Certainty::certain,
                   "host " + names + " with " + ranks_text(ranks) + " does not answer", ranks);
  }

  std::optional<Verdict> stopped() const {
    const auto ranks =
        ranks_where([](const auto& s) { return !s.exited && s.process.state == 'T' && s.process.tracer == 0; });
    if (ranks.empty()) return std::nullopt;
    return verdict(Finding::stopped, Certainty::certain,
                   ranks_text(ranks) + (ranks.size() == 1 ? " is" : " are") + " stopped by a signal", ranks);
  }

  std::optional<Verdict> blocked() const {
    const auto ranks = ranks_where([](const auto& s) { return !s.exited && !waits(s) && !blocked_file(s).empty(); });
    if (ranks.empty()) return std::nullopt;
    const RankSample& first = of(ranks.front());
    const auto* thread = thread_at_file(first);
    auto result = verdict(
        Finding::blocked_io, thread != nullptr ? Certainty::certain : Certainty::likely,
        ranks_text(ranks) + (ranks.size() == 1 ? " is" : " are") + " held up by the file " + blocked_file(first),
        ranks);
    for (const int rank : ranks)
      if (const auto* at = thread_at_file(of(rank)))
        result.evidence.push_back("rank " + std::to_string(rank) + ": thread " + std::to_string(at->id) + " in state " +
                                  at->state + " in " + at->system_call + " of " + at->path +
                                  (at->wchan.empty() ? "" : " (" + at->wchan + ")"));
    return result;
  }

  std::optional<Verdict> mismatched() const {
    const auto difference = compare_calls(samples_);
    if (!difference) return std::nullopt;
    auto result = verdict(difference->outliers.empty() ? Finding::disagreement : Finding::outlier, Certainty::certain,
                          difference->what, difference->outliers);
    result.evidence.insert(result.evidence.begin(), difference->evidence.begin(), difference->evidence.end());
    return result;
  }

  std::optional<Verdict> missing() const {
    if (waiting_.empty()) return std::nullopt;
    const auto sequence = [this](int rank) { return of(rank).telemetry.call.sequence; };
    const int last =
        *std::max_element(waiting_.begin(), waiting_.end(), [&](int a, int b) { return sequence(a) < sequence(b); });
    auto absent =
        ranks_where([&](const auto& s) { return !s.lost && !waits(s) && s.telemetry.call.sequence < sequence(last); });
    if (absent.empty()) return std::nullopt;
    std::uint64_t lowest = ~std::uint64_t{0};
    for (const int rank : absent) lowest = std::min(lowest, sequence(rank));
    std::erase_if(absent, [&](int rank) { return sequence(rank) > lowest; });
    const auto& call = of(last).telemetry.call;
    return verdict(Finding::missing, Certainty::likely,
                   ranks_text(absent) + (absent.size() == 1 ? " does" : " do") + " not come to collective " +
                       std::to_string(call.sequence) + " (" + call_text(call) + ")",
                   absent);
  }

  // Where devices wait for each other (NCCL), their hosts are further and wait for nobody.
  std::optional<Verdict> devices() const {
    const auto alive = [](const RankSample& s) { return !s.exited && !s.lost; };
    std::uint64_t least = ~std::uint64_t{0};
    for (const RankSample& s : samples_)
      if (alive(s)) least = std::min(least, s.telemetry.reached());
    const auto last = ranks_where([&](const auto& s) { return alive(s) && s.telemetry.reached() == least; });
    const auto behind = ranks_where([&](const auto& s) { return alive(s) && s.telemetry.device_lags(); });
    auto culprits = behind;
    std::erase_if(culprits, [&](int rank) { return of(rank).telemetry.reached() > least; });
    const auto further = ranks_where([&](const auto& s) { return alive(s) && s.telemetry.reached() > least; });
    if (behind.empty()) return std::nullopt;

    Verdict result;
    if (further.empty() && last.size() > 1 && culprits.size() == last.size()) {
      result = verdict(Finding::network, Certainty::likely,
                       "the devices of " + ranks_text(last) + " all came to collective " + std::to_string(least) +
                           " and nothing arrives: the network between them",
                       {});
      result.waiting = last;
    } else if (culprits.empty()) {
      result = verdict(Finding::missing, Certainty::likely,
                       ranks_text(last) + (last.size() == 1 ? " does" : " do") + " not come to collective " +
                           std::to_string(least + 1),
                       last);
      result.waiting = further;
    } else {
      result =
          verdict(Finding::device, Certainty::likely,
                  "the device of " + ranks_text(culprits) + " does not get on: a kernel that does not end", culprits);
      result.waiting = further;
    }
    for (const int rank : behind)
      result.evidence.push_back("rank " + std::to_string(rank) + ": its device has come to collective " +
                                std::to_string(of(rank).telemetry.reached()) + " and has more to do");
    return result;
  }

  std::optional<Verdict> all_inside() const {
    if (waiting_.empty()) return std::nullopt;
    const auto& call = of(waiting_.front()).telemetry.call;
    return verdict(Finding::network, Certainty::likely,
                   ranks_text(waiting_) + " all came to collective " + std::to_string(call.sequence) + " (" +
                       call_text(call) + ") and nothing arrives: the network between them",
                   {});
  }

  Verdict stuck() const {
    const auto ranks = ranks_where([](const auto& s) { return !s.exited; });
    const bool alone = ranks.size() == 1;
    return verdict(Finding::stuck, alone ? Certainty::likely : Certainty::unknown,
                   ranks_text(ranks) + (alone ? " does" : " do") + " not get on, and " +
                       (alone ? "waits" : "none waits") + " for no other rank",
                   alone ? ranks : std::vector<int>());
  }

  const std::vector<RankSample>& samples_;
  std::vector<int> waiting_;
};

}  // namespace

const char* name_of(Finding finding) {
  switch (finding) {
    case Finding::unreachable:
      return "host unreachable";
    case Finding::stopped:
      return "stopped";
    case Finding::blocked_io:
      return "blocked in I/O";
    case Finding::outlier:
      return "different call";
    case Finding::disagreement:
      return "disagreement";
    case Finding::missing:
      return "missing rank";
    case Finding::device:
      return "device does not end";
    case Finding::network:
      return "network";
    case Finding::stuck:
      return "no progress";
  }
  return "unknown";
}

const char* name_of(Certainty certainty) {
  switch (certainty) {
    case Certainty::certain:
      return "certain";
    case Certainty::likely:
      return "likely";
    case Certainty::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string blocked_file(const RankSample& sample) {
  const auto& files = sample.telemetry.files;
  const auto oldest = std::max_element(files.begin(), files.end(),
                                       [](const auto& a, const auto& b) { return a.open_seconds < b.open_seconds; });
  if (oldest != files.end()) return oldest->path;
  const auto* thread = thread_at_file(sample);
  return thread != nullptr ? thread->path : std::string();
}

Verdict judge(const std::vector<RankSample>& samples) { return Judge(samples)(); }

std::optional<Verdict> mismatch(const std::vector<RankSample>& samples) {
  const Verdict verdict = judge(samples);
  if (verdict.finding != Finding::outlier && verdict.finding != Finding::disagreement) return std::nullopt;
  return verdict;
}

}  // namespace tradewind::launcher
