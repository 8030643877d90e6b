#include "worker/dist/flight_record.h"

#include <torch/headeronly/version.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <torch/csrc/distributed/c10d/FlightRecorder.hpp>

#include "common/errors.h"

namespace tradewind::dist {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_entries = 64;

// `Float (4, 8)`, several with `, ` between them.
std::string tensors_text(const Json& types, const Json& sizes) {
  std::string text;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    text += (i > 0 ? ", " : "") + (i < types.size() ? types.at(i).get<std::string>() : std::string("?")) + " (";
    for (std::size_t d = 0; d < sizes[i].size(); ++d)
      text += (d > 0 ? ", " : "") + std::to_string(sizes[i][d].get<std::int64_t>());
    text += ")";
  }
  return text.empty() ? "-" : text;
}

std::string line_of(const Json& entry) {
  const bool between_two = entry.at("is_p2p");
  const std::uint64_t number = entry.at(between_two ? "p2p_seq_id" : "collective_seq_id");
  const std::string state = entry.at("state");
  // Gloo's entries have no state but this: nobody waits for them any more.
  const bool done = entry.at("retired").get<bool>() || state == "completed";
  return std::to_string(number) + " " + entry.at("profiling_name").get<std::string>() + ": " +
         tensors_text(entry.at("input_dtypes"), entry.at("input_sizes")) + " -> " +
         tensors_text(entry.at("output_dtypes"), entry.at("output_sizes")) + ", " +
         (done                 ? "done"
          : state == "started" ? "started, not done"
                               : "not done") +
         "\n";
}

}  // namespace

std::string record_lines(std::string_view dump) {
  try {
    const Json entries = Json::parse(dump).value("entries", Json::array());
    std::string text;
    for (std::size_t i = entries.size() - std::min(entries.size(), most_entries); i < entries.size(); ++i)
      text += line_of(entries[i]);
    return text;
  } catch (const Json::exception& error) {
    throw InternalFault(error.what(), "c10d flight recorder");
  }
}

std::string gloo_record() {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 15
  return record_lines(c10d::dump_fr_trace_json(true, false));
#else
  return {};
#endif
}

}  // namespace tradewind::dist
