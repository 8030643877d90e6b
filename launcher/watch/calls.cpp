#include "launcher/watch/calls.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "launcher/watch/describe.h"

namespace tradewind::launcher {
namespace {

using proto::Collective;
using proto::RankSample;

// What all ranks of one call have in common.
std::string signature_of(const Collective& call) {
  std::string text = call.operation + "|" + call.dtype + "|" + call.place + "|";
  const bool same_rows = call.operation != "all_to_all" && call.operation != "all_gather";
  for (std::size_t i = same_rows ? 0 : 1; i < call.shape.size(); ++i) text += std::to_string(call.shape[i]) + ",";
  text.append("|").append(std::to_string(call.shape.size()));
  if (call.operation != "all_to_all")
    for (const std::int64_t count : call.sent) text.append(",").append(std::to_string(count));
  return text;
}

// Ranks by what they have; those outside a true majority, or none without one.
template <class Key>
std::vector<int> minority(const std::map<Key, std::vector<int>>& groups) {
  std::size_t all = 0;
  const std::vector<int>* largest = nullptr;
  for (const auto& [key, ranks] : groups) {
    all += ranks.size();
    if (largest == nullptr || ranks.size() > largest->size()) largest = &ranks;
  }
  std::vector<int> others;
  if (largest == nullptr || largest->size() * 2 <= all) return others;
  for (const auto& [key, ranks] : groups)
    if (&ranks != largest) others.insert(others.end(), ranks.begin(), ranks.end());
  std::sort(others.begin(), others.end());
  return others;
}

std::string same_call_text(const CallDifference& difference) {
  return difference.outliers.empty()
             ? "the ranks disagree about collective " + std::to_string(difference.sequence)
             : ranks_text(difference.outliers) + (difference.outliers.size() == 1 ? " makes" : " make") +
                   " another call than the others as collective " + std::to_string(difference.sequence);
}

// A line for each different call of that number.
void show_calls(const std::vector<RankSample>& samples, CallDifference& difference) {
  std::map<std::string, std::vector<int>> calls;
  for (const RankSample& sample : samples) {
    const auto& t = sample.telemetry;
    if (t.call.sequence == difference.sequence) calls[call_text(t.call)].push_back(sample.rank);
    for (const Collective& call : t.earlier)
      if (call.sequence == difference.sequence) calls[call_text(call)].push_back(sample.rank);
  }
  for (const auto& [text, ranks] : calls)
    difference.evidence.push_back("collective " + std::to_string(difference.sequence) + " of " + ranks_text(ranks) +
                                  ": " + text);
}

// From the fingerprints of the last calls: the first number under which ranks made different ones.
std::optional<CallDifference> history(const std::vector<RankSample>& samples) {
  constexpr std::uint64_t kept = proto::telemetry_recent_calls;
  std::uint64_t newest = 0;
  for (const RankSample& sample : samples)
    if (sample.telemetry.recent.size() == kept) newest = std::max(newest, sample.telemetry.call.sequence);
  for (std::uint64_t sequence = newest > kept ? newest - kept + 1 : 1; sequence <= newest; ++sequence) {
    std::map<std::uint64_t, std::vector<int>> prints;
    for (const RankSample& sample : samples) {
      const auto& t = sample.telemetry;
      if (t.recent.size() == kept && t.call.sequence >= sequence && t.call.sequence < sequence + kept)
        prints[t.recent[sequence % kept]].push_back(sample.rank);
    }
    if (prints.size() < 2) continue;
    CallDifference difference{.sequence = sequence, .outliers = minority(prints)};
    difference.what = same_call_text(difference);
    show_calls(samples, difference);
    return difference;
  }
  return std::nullopt;
}

struct RankCall {
  int rank;
  const Collective* call;
};

// Every call that is known of more than one rank: one may have gone on while the other has not.
std::map<std::uint64_t, std::vector<RankCall>> by_number(const std::vector<RankSample>& samples) {
  std::map<std::uint64_t, std::vector<RankCall>> numbers;
  for (const RankSample& sample : samples) {
    for (const Collective& call : sample.telemetry.earlier) numbers[call.sequence].push_back({sample.rank, &call});
    if (sample.telemetry.call.sequence > 0)
      numbers[sample.telemetry.call.sequence].push_back({sample.rank, &sample.telemetry.call});
  }
  return numbers;
}

std::optional<CallDifference> details(const std::vector<RankSample>& samples) {
  for (const auto& [sequence, same] : by_number(samples)) {
    std::map<std::string, std::vector<int>> groups;
    for (const RankCall& one : same) groups[signature_of(*one.call)].push_back(one.rank);
    if (groups.size() < 2) continue;
    CallDifference difference{.sequence = sequence, .outliers = minority(groups)};
    difference.what = same_call_text(difference);
    show_calls(samples, difference);
    return difference;
  }
  return std::nullopt;
}

// all_to_all: what one rank sends to another must be what that one expects.
std::optional<CallDifference> splits(const std::vector<RankSample>& samples) {
  for (const auto& [sequence, same] : by_number(samples)) {
    CallDifference difference{.sequence = sequence};
    std::map<int, int> faults;  // by rank: pairs that do not fit
    int pairs = 0;
    for (const RankCall& from : same) {
      for (const RankCall& to : same) {
        const auto& sent = from.call->sent;
        const auto& received = to.call->received;
        const auto source = static_cast<std::size_t>(from.rank), target = static_cast<std::size_t>(to.rank);
        if (from.rank == to.rank || from.call->operation != "all_to_all" || target >= sent.size() ||
            source >= received.size() || sent[target] == received[source])
          continue;
        ++pairs;
        ++faults[from.rank];
        ++faults[to.rank];
        difference.evidence.push_back("rank " + std::to_string(from.rank) + " sends " + std::to_string(sent[target]) +
                                      " rows to rank " + std::to_string(to.rank) + ", which expects " +
                                      std::to_string(received[source]));
      }
    }
    if (pairs == 0) continue;
    // With every pair in it, and more than one other rank, it is that rank against all others.
    for (const auto& [rank, count] : faults)
      if (count == pairs && faults.size() > 2) difference.outliers.push_back(rank);
    difference.what = "the ranks disagree about how many rows go from one to another in collective " +
                      std::to_string(sequence) + " (" + call_text(*same.front().call) + ")";
    return difference;
  }
  return std::nullopt;
}

}  // namespace

std::optional<CallDifference> compare_calls(const std::vector<RankSample>& samples) {
  auto first = history(samples), second = details(samples);
  if (first && (!second || first->sequence <= second->sequence)) return first;
  return second ? second : splits(samples);
}

}  // namespace tradewind::launcher
