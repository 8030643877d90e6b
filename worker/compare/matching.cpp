#include "worker/compare/matching.h"

#include <algorithm>
#include <map>
#include <optional>

namespace tradewind::compare {
namespace {

using Waiting = std::map<std::string, std::vector<const MessageKeys*>>;

bool is_local(const std::string& key) { return key.starts_with("mars") || key == "experimentVersionNumber"; }

// Both editions have them, but name the same level otherwise: 2t lies at the surface or 2 m above it.
bool is_level(const std::string& key) { return key == "typeOfLevel" || key == "level"; }

std::optional<std::string> value_of(const MessageKeys& message, const std::string& key) {
  for (const auto& [name, value] : message.keys)
    if (name == key) return value;
  return std::nullopt;
}

void match_rest(Matches& matches, Waiting& of_got) {
  std::map<std::string, std::vector<const MessageKeys*>> left, wanted;
  for (const auto& [identity, rest] : of_got)
    for (const MessageKeys* message : rest) left[message->meaning].push_back(message);
  for (const MessageKeys* message : matches.missing) wanted[message->meaning].push_back(message);
  const auto matched = [&](const MessageKeys* message) {
    const auto here = left.find(message->meaning), there = wanted.find(message->meaning);
    return here != left.end() && there != wanted.end() && here->second.size() == 1 && there->second.size() == 1;
  };
  for (const MessageKeys* message : matches.missing)
    if (matched(message)) matches.pairs.push_back({left[message->meaning].front(), message});
  for (const auto& [meaning, messages] : left)
    for (const MessageKeys* message : messages)
      if (!matched(message)) matches.extra.push_back(message);
  std::erase_if(matches.missing, matched);
  const auto position = [](const Pair& pair) { return pair.wanted; };  // they lie in one list
  std::ranges::sort(matches.pairs, {}, position);
  std::ranges::sort(matches.extra);
}

}  // namespace

Matches match(const std::vector<MessageKeys>& got, const std::vector<MessageKeys>& wanted) {
  Matches matches;
  Waiting of_got;
  for (auto message = got.rbegin(); message != got.rend(); ++message)
    of_got[message->identity].push_back(&*message);  // the first last, to be taken first
  for (const MessageKeys& message : wanted) {
    auto& same = of_got[message.identity];
    if (same.empty()) {
      matches.missing.push_back(&message);
      continue;
    }
    matches.pairs.push_back({same.back(), &message});
    same.pop_back();
  }
  match_rest(matches, of_got);
  return matches;
}

std::string differing_keys(const MessageKeys& got, const MessageKeys& wanted) {
  const bool editions = value_of(got, "edition") != value_of(wanted, "edition");
  const bool local_section = value_of(got, "localUsePresent") == value_of(wanted, "localUsePresent");
  std::string differences;
  for (std::size_t i = 0; i < wanted.keys.size(); ++i) {
    const auto& [key, wanted_value] = wanted.keys[i];
    const auto& got_value = got.keys[i].second;
    const std::string have = got_value.value_or(default_of(key)), want = wanted_value.value_or(default_of(key));
    if (have == want) continue;
    const bool one_lacks_it = !got_value || !wanted_value;
    if (one_lacks_it && (editions || (is_local(key) && !local_section))) continue;
    if (editions && is_level(key)) continue;
    differences.append(" ").append(key).append("=").append(have).append(" (want ").append(want).append(")");
  }
  return differences;
}

}  // namespace tradewind::compare
