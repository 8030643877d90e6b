// What a flight recorder of c10d (torch.distributed) has noted of the collectives of one rank. Dumps are pickles or
// JSON with the same keys, which torch's torch/csrc/distributed/c10d/FlightRecorder writes (version 2.x). Plain values.
// Thread-safe: pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::launcher {

struct FlightEntry {
  std::string group;          // name of the process group
  std::int64_t sequence = 0;  // number within the group: of collectives, or of sends and receives
  bool pairwise = false;      // a send or receive, whose numbers say nothing about other ranks
  std::string operation;      // all_reduce
  std::string sizes, dtypes;  // of the input, as `[[4, 3]]` and `[Float]`; empty: not told
  std::string output_sizes;
  bool done = false;            // the rank waits for it no longer
  std::int64_t created_ns = 0;  // since 1970, 0: not told
  bool operator==(const FlightEntry&) const = default;
};

struct FlightGroup {
  std::string description;
  std::vector<int> ranks;  // empty: not told
  bool operator==(const FlightGroup&) const = default;
};

struct FlightRecord {
  int rank = -1;
  std::string version;
  std::map<std::string, FlightGroup> groups;
  std::vector<FlightEntry> entries;  // oldest first
};

// A dump's bytes: a pickle, of which nothing is executed, or JSON. `where` names it in errors. UserError for anything
// else: no dump, a dump of another version, one that is cut off or too large.
FlightRecord read_flight(std::string_view bytes, const std::string& where);

// For the way from an agent to its controller: the newest entries only.
nlohmann::ordered_json encode_flight(const FlightRecord& record, std::size_t most_entries = 64);
// Of encode_flight(); what does not fit is left out.
FlightRecord decode_flight(const nlohmann::ordered_json& json);
// A line per entry, the newest last.
std::string text_of(const FlightRecord& record, std::size_t most_entries = 64);

}  // namespace tradewind::launcher
