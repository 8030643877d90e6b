#include "launcher/watch/flight_verdict.h"

#include <algorithm>
#include <map>
#include <set>

#include "launcher/watch/describe.h"

namespace tradewind::launcher {
namespace {

using Sequence = std::int64_t;

struct Member {
  std::map<Sequence, const FlightEntry*> calls;
  Sequence newest() const { return calls.empty() ? 0 : calls.rbegin()->first; }
  const FlightEntry* waits() const {
    for (const auto& [sequence, entry] : calls)
      if (!entry->done) return entry;
    return nullptr;
  }
};

struct Group {
  std::string name, description;
  std::map<int, Member> members;  // with a record
  std::vector<int> silent;        // without one
  bool known = false;             // who belongs to it
};

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// Operations in which each rank may give rows of its own number.
bool own_sizes(const std::string& operation) {
  for (const char* part : {"all_to_all", "alltoall", "scatter", "allgatherv", "coalesced"})
    if (contains(operation, part)) return true;
  return false;
}

std::string print_of(const FlightEntry& entry) {
  // Of a scatter only the root has an input.
  const bool scatters = contains(entry.operation, "scatter") && !contains(entry.operation, "reduce_scatter");
  std::string print = entry.operation + "|" + (scatters ? std::string() : entry.dtypes);
  if (!own_sizes(entry.operation)) print += "|" + entry.sizes;
  return print;
}

std::vector<int> minority(const std::map<std::string, std::vector<int>>& prints) {
  std::size_t all = 0;
  const std::vector<int>* largest = nullptr;
  for (const auto& [print, ranks] : prints) {
    all += ranks.size();
    if (largest == nullptr || ranks.size() > largest->size()) largest = &ranks;
  }
  std::vector<int> others;
  if (largest == nullptr || 2 * largest->size() <= all) return others;
  for (const auto& [print, ranks] : prints)
    if (&ranks != largest) others.insert(others.end(), ranks.begin(), ranks.end());
  std::sort(others.begin(), others.end());
  return others;
}

class Aligner {
 public:
  Aligner(const std::vector<FlightRecord>& records, int world_size) {
    std::set<int> told;
    for (const FlightRecord& record : records) {
      told.insert(record.rank);
      world_size = std::max(world_size, record.rank + 1);
      for (const auto& [name, group] : record.groups)
        if (!group.ranks.empty()) world_size = std::max(world_size, group.ranks.back() + 1);
    }
    for (const FlightRecord& record : records) {
      for (const auto& [name, known] : record.groups) add_group(name, known);
      for (const FlightEntry& entry : record.entries) {
        if (entry.pairwise) continue;
        groups_[entry.group].name = entry.group;
        groups_[entry.group].members[record.rank].calls[entry.sequence] = &entry;
      }
    }
    for (auto& [name, group] : groups_) complete(group, told, world_size);
  }

  std::optional<FlightVerdict> operator()() const {
    // The first rule that finds something decides; of several groups the one where it came first.
    for (const auto& rule : {&Aligner::mismatch, &Aligner::missing, &Aligner::arrived}) {
      std::optional<FlightVerdict> best;
      for (const auto& [name, group] : groups_) {
        auto found = (this->*rule)(group);
        if (found && (!best || (found->since_ns != 0 && found->since_ns < best->since_ns))) best = std::move(found);
      }
      if (best) return best;
    }
    return std::nullopt;
  }

 private:
  void add_group(const std::string& name, const FlightGroup& known) {
    Group& group = groups_[name];
    group.name = name;
    if (group.description.empty()) group.description = known.description;
    ranks_[name].insert(known.ranks.begin(), known.ranks.end());
  }
  // A rank that has made no collective of a group has no entry, but its record speaks all the same.
  void complete(Group& group, const std::set<int>& told, int world_size) {
    std::set<int> ranks = ranks_[group.name];
    if (ranks.empty() && group.name == "0")
      for (int rank = 0; rank < world_size; ++rank) ranks.insert(rank);
    group.known = !ranks.empty();
    for (const int rank : ranks) {
      if (told.contains(rank))
        group.members.try_emplace(rank);
      else
        group.silent.push_back(rank);
    }
  }

  static std::string place(const Group& group) {
    return " of group " + group.name + (group.description.empty() ? "" : " (" + group.description + ")");
  }
  static std::vector<int> waiting_of(const Group& group) {
    std::vector<int> ranks;
    for (const auto& [rank, member] : group.members)
      if (member.waits() != nullptr) ranks.push_back(rank);
    return ranks;
  }
  static std::int64_t since(const Group& group, Sequence sequence) {
    std::int64_t first = 0;
    for (const auto& [rank, member] : group.members)
      if (const auto call = member.calls.find(sequence); call != member.calls.end() && call->second->created_ns > 0)
        first = first == 0 ? call->second->created_ns : std::min(first, call->second->created_ns);
    return first;
  }
  static FlightVerdict verdict_of(const Group& group, Sequence sequence, Finding finding, Certainty certainty,
                                  std::string what, std::vector<int> culprits) {
    FlightVerdict found{.group = group.name, .sequence = sequence, .since_ns = since(group, sequence)};
    Verdict& verdict = found.verdict;
    verdict = {finding, certainty, std::move(what), std::move(culprits), {}, {}};
    for (const int rank : waiting_of(group))
      if (std::find(verdict.culprits.begin(), verdict.culprits.end(), rank) == verdict.culprits.end())
        verdict.waiting.push_back(rank);
    return found;
  }
  static void tell(FlightVerdict& found, const Group& group) {
    constexpr std::size_t most = 16;
    for (const auto& [rank, member] : group.members) {
      if (found.verdict.evidence.size() >= most) return;
      const FlightEntry* waits = member.waits();
      std::string line = "rank " + std::to_string(rank) + ": newest collective" + place(group) + " is " +
                         std::to_string(member.newest());
      if (waits != nullptr)
        line += ", waits in " + std::to_string(waits->sequence) + " (" + text_of(*waits) + ")";
      else if (!member.calls.empty())
        line += " (" + text_of(*member.calls.rbegin()->second) + "), done";
      found.verdict.evidence.push_back(std::move(line));
    }
    if (!group.silent.empty()) found.verdict.evidence.push_back(ranks_text(group.silent) + ": no record");
  }

  std::optional<FlightVerdict> mismatch(const Group& group) const {
    std::map<Sequence, std::map<std::string, std::vector<int>>> numbers;
    for (const auto& [rank, member] : group.members)
      for (const auto& [sequence, entry] : member.calls) numbers[sequence][print_of(*entry)].push_back(rank);
    for (const auto& [sequence, prints] : numbers) {
      if (prints.size() < 2) continue;
      const std::vector<int> outliers = minority(prints);
      std::set<std::string> operations;
      for (const auto& [print, ranks] : prints) operations.insert(print.substr(0, print.find('|')));
      const std::string how = operations.size() > 1 ? "another operation" : "another shape or type";
      std::string what = outliers.empty()
                             ? "the ranks disagree about collective " + std::to_string(sequence)
                             : ranks_text(outliers) + (outliers.size() == 1 ? " makes" : " make") + " collective " +
                                   std::to_string(sequence) + " with " + how + " than the others";
      FlightVerdict found = verdict_of(group, sequence, outliers.empty() ? Finding::disagreement : Finding::outlier,
                                       Certainty::certain, what + place(group), outliers);
      for (const auto& [print, ranks] : prints)
        found.verdict.evidence.push_back("collective " + std::to_string(sequence) + place(group) + " of " +
                                         ranks_text(ranks) + ": " +
                                         text_of(*group.members.at(ranks.front()).calls.at(sequence)));
      return found;
    }
    return std::nullopt;
  }

  // The first collective that a rank waits in.
  static const FlightEntry* first_wait(const Group& group) {
    const FlightEntry* first = nullptr;
    for (const auto& [rank, member] : group.members)
      if (const auto* waits = member.waits();
          waits != nullptr && (first == nullptr || waits->sequence < first->sequence))
        first = waits;
    return first;
  }
  bool waits_elsewhere(int rank, const Group& group) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const auto& entry) {
      const auto member = entry.second.members.find(rank);
      return entry.first != group.name && member != entry.second.members.end() && member->second.waits() != nullptr;
    });
  }

  std::optional<FlightVerdict> missing(const Group& group) const {
    const FlightEntry* call = first_wait(group);
    if (call == nullptr) return std::nullopt;
    std::vector<int> absent;
    for (const auto& [rank, member] : group.members)
      if (member.newest() < call->sequence && !waits_elsewhere(rank, group)) absent.push_back(rank);
    // A rank that gives no record has ended or cannot answer: it may be the one.
    const bool silent = absent.empty() && !group.silent.empty();
    if (silent) absent = group.silent;
    if (absent.empty()) return std::nullopt;
    std::string what = ranks_text(absent);
    what += silent ? (absent.size() == 1 ? " gives" : " give") + std::string(" no record, and the others wait in")
                   : (absent.size() == 1 ? " does" : " do") + std::string(" not come to");
    what += " collective " + std::to_string(call->sequence) + " (" + text_of(*call) + ")" + place(group);
    FlightVerdict found = verdict_of(group, call->sequence, Finding::missing,
                                     silent ? Certainty::likely : Certainty::certain, std::move(what), absent);
    tell(found, group);
    return found;
  }

  std::optional<FlightVerdict> arrived(const Group& group) const {
    const FlightEntry* call = first_wait(group);
    if (call == nullptr) return std::nullopt;
    for (const auto& [rank, member] : group.members)
      if (member.newest() < call->sequence) return std::nullopt;  // it waits in another group
    if (!group.known) {
      FlightVerdict found =
          verdict_of(group, call->sequence, Finding::disagreement, Certainty::unknown,
                     ranks_text(waiting_of(group)) + " wait in collective " + std::to_string(call->sequence) + " (" +
                         text_of(*call) + ")" + place(group) + ", and the records do not tell who else belongs to it",
                     {});
      tell(found, group);
      return found;
    }
    FlightVerdict found =
        verdict_of(group, call->sequence, Finding::network, Certainty::likely,
                   "all ranks came to collective " + std::to_string(call->sequence) + " (" + text_of(*call) + ")" +
                       place(group) + " and it does not end: the network between them",
                   {});
    tell(found, group);
    return found;
  }

  std::map<std::string, Group> groups_;
  std::map<std::string, std::set<int>> ranks_;
};

}  // namespace

std::optional<FlightVerdict> align(const std::vector<FlightRecord>& records, int world_size) {
  return Aligner(records, world_size)();
}

namespace {

std::string line_of(const FlightRecord& record, const FlightEntry& waits) {
  return "rank " + std::to_string(record.rank) + ": waited in collective " + std::to_string(waits.sequence) + " (" +
         text_of(waits) + ") of group " + waits.group;
}

std::optional<Verdict> misled_alone(const std::vector<FlightRecord>& records, int world_size, int misled) {
  if (std::ssize(records) != world_size - 1 || records.size() < 2) return std::nullopt;
  Verdict verdict{Finding::outlier, Certainty::likely, {}, {misled}, {}, {}};
  const FlightEntry* first = nullptr;
  for (const FlightRecord& record : records) {
    const FlightEntry* waits = waits_in(record);
    if (record.rank == misled || waits == nullptr) return std::nullopt;
    if (first == nullptr) first = waits;
    if (waits->group != first->group || waits->sequence != first->sequence || print_of(*waits) != print_of(*first))
      return std::nullopt;
    verdict.waiting.push_back(record.rank);
    verdict.evidence.push_back(line_of(record, *waits));
  }
  verdict.what = "rank " + std::to_string(misled) + " makes another call than the others' collective " +
                 std::to_string(first->sequence) + " (" + text_of(*first) + ") of group " + first->group;
  verdict.evidence.insert(verdict.evidence.begin(),
                          "rank " + std::to_string(misled) +
                              ": got data of another size than it expected, from ranks that all make the same call");
  return verdict;
}

std::optional<Verdict> left_alone(const std::vector<FlightRecord>& records, const std::vector<int>& done) {
  Verdict verdict{Finding::missing, Certainty::likely, {}, done, {}, {}};
  const FlightEntry* first = nullptr;
  for (const FlightRecord& record : records) {
    if (std::find(done.begin(), done.end(), record.rank) != done.end()) continue;
    const FlightEntry* waits = waits_in(record);
    if (waits == nullptr) continue;
    if (first == nullptr || waits->sequence < first->sequence) first = waits;
    verdict.waiting.push_back(record.rank);
    verdict.evidence.push_back(line_of(record, *waits));
  }
  if (first == nullptr) return std::nullopt;
  verdict.what = ranks_text(done) + (done.size() == 1 ? " has" : " have") + " left with exit code 0 while " +
                 ranks_text(verdict.waiting) + (verdict.waiting.size() == 1 ? " waits" : " wait") + " in collective " +
                 std::to_string(first->sequence) + " (" + text_of(*first) + ") of group " + first->group;
  return verdict;
}

}  // namespace

std::optional<Verdict> why_broken(const std::vector<FlightRecord>& records, int world_size, std::optional<int> misled,
                                  const std::vector<int>& done) {
  if (const auto found = align(records, world_size)) {
    const Finding finding = found->verdict.finding;
    const bool different = finding == Finding::outlier || finding == Finding::disagreement;
    if (different && found->verdict.certainty == Certainty::certain) return found->verdict;
  }
  if (misled) return misled_alone(records, world_size, *misled);
  return done.empty() ? std::nullopt : left_alone(records, done);
}

const FlightEntry* waits_in(const FlightRecord& record) {
  // The operations of a coalesced call carry its number, and only its last entry tells whether it is done.
  std::set<std::pair<std::string, Sequence>> seen;
  for (auto entry = record.entries.rbegin(); entry != record.entries.rend(); ++entry)
    if (!entry->pairwise && seen.emplace(entry->group, entry->sequence).second && !entry->done) return &*entry;
  return nullptr;
}

std::string text_of(const FlightEntry& entry) {
  std::string text = entry.operation;
  if (!entry.dtypes.empty() || !entry.sizes.empty()) text += " of";
  if (!entry.dtypes.empty()) text += " " + entry.dtypes;
  if (!entry.sizes.empty()) text += " " + entry.sizes;
  return text;
}

}  // namespace tradewind::launcher
