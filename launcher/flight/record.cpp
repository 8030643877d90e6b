#include "launcher/flight/record.h"

#include <algorithm>
#include <optional>

#include "common/errors.h"
#include "common/printable.h"
#include "launcher/flight/inert_json.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_text = 200, most_entries_read = 1'000'000;
constexpr std::int64_t most_ranks = 1 << 20;
constexpr int deepest = 32;
constexpr const char* remedy = "give the files that torch has written";

[[noreturn]] void refuse(const std::string& why, const std::string& where) {
  throw UserError("this is no dump of a flight recorder: " + why, where, remedy);
}

const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() ? &*found : nullptr;
}

std::string text_in(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? printable_line(value->get<std::string>()).substr(0, longest_text)
                                                : std::string();
}

std::int64_t number_in(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

// `[[4, 3]]`, of numbers and texts.
std::string list_text(const Json* value) {
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return printable_line(value->get<std::string>()).substr(0, longest_text);
  if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
  if (!value->is_array()) return {};
  std::string text = "[";
  for (const Json& item : *value) {
    if (text.size() > longest_text) return text.substr(0, longest_text) + "...";
    text += (text.size() > 1 ? ", " : "") + list_text(&item);
  }
  return text + "]";
}

// `[0, 2]` as a list or as a text.
std::vector<int> ranks_in(const Json& object) {
  const Json* value = member(object, "ranks");
  if (value == nullptr) return {};
  const Json list = value->is_string() ? Json::parse(value->get<std::string>(), nullptr, false) : *value;
  std::vector<int> ranks;
  if (list.is_array() && std::ssize(list) <= most_ranks)
    for (const Json& rank : list)
      if (rank.is_number_integer() && rank.get<std::int64_t>() >= 0 && rank.get<std::int64_t>() < most_ranks)
        ranks.push_back(rank.get<int>());
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  return ranks;
}

// `gloo:all_reduce` and `nccl:all_reduce`.
std::string operation_of(const Json& entry) {
  const std::string name = text_in(entry, "profiling_name");
  const std::size_t colon = name.find(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

// torch 2.7 and later: [name, description]; before, an id.
std::string group_of(const Json& entry) {
  const Json* group = member(entry, "process_group");
  if (group != nullptr && group->is_array() && !group->empty() && group->front().is_string())
    return printable_line(group->front().get<std::string>()).substr(0, longest_text);
  return std::to_string(number_in(entry, "pg_id"));
}

FlightEntry entry_of(const Json& json, const std::string& where) {
  if (!json.is_object()) refuse("an entry is no dictionary", where);
  FlightEntry entry;
  entry.group = group_of(json);
  const Json* pairwise = member(json, "is_p2p");
  entry.pairwise = pairwise != nullptr && pairwise->is_boolean() && pairwise->get<bool>();
  entry.sequence = number_in(json, entry.pairwise ? "p2p_seq_id" : "collective_seq_id");
  if (entry.sequence == 0) entry.sequence = number_in(json, "seq_id");
  entry.operation = operation_of(json);
  entry.sizes = list_text(member(json, "input_sizes"));
  entry.output_sizes = list_text(member(json, "output_sizes"));
  entry.dtypes = list_text(member(json, "input_dtypes"));
  const Json* retired = member(json, "retired");
  // Gloo's state never changes. What NCCL's watchdog has retired without seeing it complete has timed out.
  const bool gone = retired != nullptr && retired->is_boolean() && retired->get<bool>();
  entry.done = text_in(json, "state") == "completed" || (gone && !text_in(json, "profiling_name").starts_with("nccl:"));
  entry.created_ns = number_in(json, "time_created_ns");
  return entry;
}

Json parse_json(std::string_view bytes, const std::string& where) {
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > deepest) refuse("it is nested deeper than " + std::to_string(deepest) + " levels", where);
    return true;
  };
  try {
    return Json::parse(bytes, bounded);
  } catch (const Json::exception& error) {
    refuse(printable_line(error.what()), where);
  }
}

// What is wrong with a pickle is told by the reader of checkpoints, whose remedies are for those.
Json parse_pickle(std::string_view bytes, const std::string& where) {
  try {
    return json_of_pickle(bytes, where);
  } catch (const UserError& error) {
    throw UserError(error.message(), error.where(), remedy);
  }
}

FlightRecord record_of(const Json& json, const std::string& where) {
  if (!json.is_object()) refuse("it is no dictionary", where);
  const Json* entries = member(json, "entries");
  FlightRecord record{.version = text_in(json, "version")};
  if (record.version.empty()) refuse("it tells no version", where);
  if (!record.version.starts_with("2."))
    refuse("it is of version " + record.version + ", and 2.x is known here", where);
  // A recorder that has seen nothing leaves them out.
  if (entries != nullptr && !entries->is_array()) refuse("its entries are no list", where);
  if (entries != nullptr && entries->size() > most_entries_read) refuse("it has too many entries", where);
  if (entries != nullptr)
    for (const Json& entry : *entries) record.entries.push_back(entry_of(entry, where));
  if (const Json* groups = member(json, "pg_config"); groups != nullptr && groups->is_object())
    for (const auto& [id, group] : groups->items())
      if (group.is_object()) {
        const std::string name = text_in(group, "name");
        record.groups[name.empty() ? id.substr(0, longest_text) : name] = {text_in(group, "desc"), ranks_in(group)};
      }
  return record;
}

}  // namespace

FlightRecord read_flight(std::string_view bytes, const std::string& where) {
  if (bytes.empty()) refuse("it is empty", where);
  const bool json = bytes.front() == '{';
  return record_of(json ? parse_json(bytes, where) : parse_pickle(bytes, where), where);
}

Json encode_flight(const FlightRecord& record, std::size_t most_entries) {
  Json groups = Json::object(), entries = Json::array();
  for (const auto& [name, group] : record.groups)
    groups[name] = {{"description", group.description}, {"ranks", group.ranks}};
  const std::size_t first = record.entries.size() - std::min(most_entries, record.entries.size());
  for (std::size_t i = first; i < record.entries.size(); ++i) {
    const FlightEntry& e = record.entries[i];
    entries.push_back(
        {e.group, e.sequence, e.pairwise, e.operation, e.sizes, e.dtypes, e.output_sizes, e.done, e.created_ns});
  }
  return {{"rank", record.rank},
          {"version", record.version},
          {"groups", std::move(groups)},
          {"entries", std::move(entries)}};
}

FlightRecord decode_flight(const Json& json) {
  FlightRecord record;
  if (!json.is_object()) return record;
  record.rank = static_cast<int>(number_in(json, "rank"));
  record.version = text_in(json, "version");
  if (const Json* groups = member(json, "groups"); groups != nullptr && groups->is_object())
    for (const auto& [name, group] : groups->items())
      if (group.is_object()) record.groups[name] = {text_in(group, "description"), ranks_in(group)};
  const Json* entries = member(json, "entries");
  if (entries == nullptr || !entries->is_array()) return record;
  for (const Json& item : *entries) {
    try {
      FlightEntry e;
      item.at(0).get_to(e.group);
      item.at(1).get_to(e.sequence);
      item.at(2).get_to(e.pairwise);
      item.at(3).get_to(e.operation);
      item.at(4).get_to(e.sizes);
      item.at(5).get_to(e.dtypes);
      item.at(6).get_to(e.output_sizes);
      item.at(7).get_to(e.done);
      item.at(8).get_to(e.created_ns);
      record.entries.push_back(std::move(e));
    } catch (const Json::exception&) {
    }
  }
  return record;
}

std::string text_of(const FlightRecord& record, std::size_t most_entries) {
  std::string text;
  const std::size_t first = record.entries.size() - std::min(most_entries, record.entries.size());
  for (std::size_t i = first; i < record.entries.size(); ++i) {
    const FlightEntry& e = record.entries[i];
    text += std::to_string(e.sequence) + (e.pairwise ? " (pairwise)" : "") + " " + e.operation + " of " + e.dtypes +
            " " + e.sizes + " in group " + e.group + (e.done ? ", done" : ", not done") + "\n";
  }
  return text;
}

}  // namespace tradewind::launcher
