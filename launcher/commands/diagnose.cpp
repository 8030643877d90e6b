#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "common/dates.h"
#include "common/errors.h"
#include "common/file_text.h"
#include "common/printable.h"
#include "launcher/commands/commands.h"
#include "launcher/flight/record.h"
#include "launcher/watch/flight_verdict.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uintmax_t most_bytes = std::uintmax_t{512} << 20;
constexpr std::size_t most_files = 100'000;

// The rank that a file's name tells: rank-3.flight of ours; torch ends its names with it (comm_lib_trace_rank_3,
// nccl_trace_rank_3, or a prefix of the user's own). -1: none.
int rank_of_name(std::string name) {
  if (name.starts_with("rank-") && name.ends_with(".flight")) name.resize(name.size() - 7);
  std::size_t begin = name.size();
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(name[begin - 1])) != 0) --begin;
  constexpr std::size_t longest = 7;
  if (begin == name.size() || begin == 0 || name.size() - begin > longest) return -1;
  return std::stoi(name.substr(begin));
}

// Dumps by rank. Others of ours in the folder (frames, pipes, stacks) are none.
struct Dumps {
  std::map<int, fs::path> of_rank;
  std::vector<std::string> left_out;  // what has a dump's name, and is no file
};

Dumps dumps_in(const fs::path& folder) {
  Dumps dumps;
  std::error_code error;
  std::size_t count = 0;
  for (fs::directory_iterator entries(folder, error), end; !error && entries != end; entries.increment(error)) {
    if (++count > most_files)
      throw UserError("the folder holds more than " + std::to_string(most_files) + " files", folder.string(),
                      "give the folder of one run's dumps");
    std::error_code ignored;
    const std::string name = entries->path().filename().string();
    const int rank = rank_of_name(name);
    if (rank < 0) continue;
    if (!entries->is_regular_file(ignored)) {
      dumps.left_out.push_back(name);
      continue;
    }
    const auto [at, is_new] = dumps.of_rank.try_emplace(rank, entries->path());
    if (is_new) continue;
    // The recorder of NCCL and that of Gloo both tell of a rank: the larger one has more to say.
    const bool both_ours = at->second.extension() == ".flight" || entries->path().extension() == ".flight";
    if (!both_ours)
      throw UserError(
          "two dumps of rank " + std::to_string(rank) + ": " + at->second.filename().string() + " and " + name,
          folder.string(), "give a folder with the dumps of one moment");
    if (fs::file_size(entries->path(), ignored) > fs::file_size(at->second, ignored)) at->second = entries->path();
  }
  if (error)
    throw UserError("the folder cannot be read: " + error.message(), folder.string(), "give the folder of the dumps");
  return dumps;
}

std::vector<FlightRecord> read_all(const std::map<int, fs::path>& dumps) {
  std::vector<FlightRecord> records;
  for (const auto& [rank, path] : dumps) {
    std::error_code error;
    if (fs::file_size(path, error) > most_bytes || error)
      throw UserError("the dump is larger than " + std::to_string(most_bytes >> 20U) + " MiB, or cannot be read",
                      path.string(), "give the files that torch has written");
    records.push_back(read_flight(file_text(path.string()), path.string()));
    records.back().rank = rank;
  }
  return records;
}

std::string date_of(std::int64_t nanoseconds) {
  using namespace std::chrono;
  return iso_date(floor<seconds>(sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(nanoseconds)))) + " UTC";
}

Json to_json(const std::optional<FlightVerdict>& found, std::size_t ranks) {
  if (!found) return {{"schema", 1}, {"ranks", ranks}, {"verdict", nullptr}};
  const Verdict& verdict = found->verdict;
  return {{"schema", 1},
          {"ranks", ranks},
          {"verdict", name_of(verdict.finding)},
          {"certainty", name_of(verdict.certainty)},
          {"what", verdict.what},
          {"culprits", verdict.culprits},
          {"waiting", verdict.waiting},
          {"group", found->group},
          {"sequence", found->sequence},
          {"since", found->since_ns > 0 ? Json(date_of(found->since_ns)) : Json(nullptr)},
          {"evidence", verdict.evidence}};
}

std::string to_text(const std::optional<FlightVerdict>& found, std::size_t ranks) {
  std::string text = "records of " + std::to_string(ranks) + (ranks == 1 ? " rank\n" : " ranks\n");
  if (!found) return text + "no rank waits in a collective, and all have made the same ones\n";
  const Verdict& verdict = found->verdict;
  text += verdict.what + "\n";
  text += "  verdict: " + std::string(name_of(verdict.finding)) + " (" + name_of(verdict.certainty) + ")\n";
  if (found->since_ns > 0) text += "  since: " + date_of(found->since_ns) + ", when the first rank came to it\n";
  text += "  evidence:\n";
  for (const std::string& line : verdict.evidence) text += "    " + line + "\n";
  return text;
}

}  // namespace

int diagnose(const DiagnoseCommand& command) {
  fs::path folder = command.folder;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    const bool absent = error == std::errc::no_such_file_or_directory;
    throw UserError(absent  ? "there is no such folder"
                    : error ? error.message()
                            : "this is no folder",
                    folder.string(), "give the folder that holds the dumps of all ranks");
  }
  // A run folder of ours keeps them in a folder of their own.
  if (fs::is_directory(folder / "evidence", error)) folder /= "evidence";
  const auto [dumps, left_out] = dumps_in(folder);
  for (const std::string& name : left_out)
    std::cerr << printable_line("warning: " + name + " is no regular file, thus left out") << std::endl;
  if (dumps.empty())
    throw UserError("there are no dumps of a flight recorder", folder.string(),
                    "their names end with the rank: comm_lib_trace_rank_0, or rank-0.flight of `tradewind exec`");
  const auto found = align(read_all(dumps));
  if (command.json)
    std::cout << to_json(found, dumps.size()).dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
  else
    std::cout << printable(to_text(found, dumps.size())) << std::flush;
  return 0;
}

}  // namespace tradewind::launcher
