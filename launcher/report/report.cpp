#include "launcher/report/report.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "common/config/nodes/findings.h"
#include "common/files/whole_file.h"
#include "common/refusals.h"
#include "common/streams.h"

namespace tradewind::launcher {
namespace {

constexpr const char* report_remedy = "give a path in a folder that can be written, with --report or --run-dir";

Json seconds_of(const proto::Timings& seconds, double total) {
  return {{"load", seconds.load},
          {"input", seconds.input},
          {"first_step", seconds.first_step},
          {"step_median", seconds.step_median},
          {"output", seconds.output},
          {"total", total}};
}

}  // namespace

Json report_of(const Outcome& outcome, double total_seconds) {
  Json ranks = Json::array();
  for (std::size_t i = 0; i < outcome.ranks.size(); ++i) {
    const RankResult& rank = outcome.ranks[i];
    Json entry = {{"rank", i},
                  {"host", rank.host},
                  {"pid", rank.pid},
                  {"device", rank.device},
                  {"peak_rss_bytes", rank.peak_rss_bytes},
                  {"peak_device_bytes", rank.peak_device_bytes}};
    for (const auto& [name, value] : rank.figures.items())
      if (!entry.contains(name)) entry[name] = value;
    ranks.push_back(std::move(entry));
  }
  Json report = {{"status", outcome.status},
                 {"exit_code", outcome.exit_code},
                 {"world_size", outcome.ranks.size()},
                 {"steps", outcome.steps},
                 {"seconds", seconds_of(outcome.seconds, total_seconds)},
                 {"ranks", std::move(ranks)}};
  if (!outcome.hang.is_null()) report["hang"] = outcome.hang;
  if (outcome.error) {
    const RankError& error = *outcome.error;
    report["error"] = {{"what", error.what},     {"where", error.where},
                       {"remedy", error.remedy}, {"rank", error.rank < 0 ? Json(nullptr) : Json(error.rank)},
                       {"phase", error.phase},   {"last_lines", error.last_lines}};
    if (!error.python.empty()) report["error"]["python"] = error.python;
  }
  for (const RankError& error : outcome.knock_on)
    report["knock_on"].push_back(
        {{"rank", error.rank}, {"what", error.what}, {"where", error.where}, {"phase", error.phase}});
  return report;
}

Json errors_of(const Error& error) {
  Refusals all = {{error.message(), error.where(), error.remedy()}};
  if (const auto* user = dynamic_cast<const UserError*>(&error)) all = refusals_of(*user);
  Json errors = Json::array();
  for (const Refusal& one : all) {
    Json json = {{"what", one.what}, {"where", one.where}, {"remedy", one.remedy}};
    if (const config::Location at = config::location_of(one.where); at.line > 0) {
      json["file"] = at.source;
      json["line"] = at.line;
      json["column"] = at.column;
    }
    errors.push_back(std::move(json));
  }
  return errors;
}

Json report_of(const Error& error, int world_size, double total_seconds) {
  const Json all = errors_of(error);
  return {{"status", "failed"},
          {"exit_code", static_cast<int>(error.exit_code())},
          {"world_size", world_size},
          {"steps", 0},
          {"seconds", seconds_of({}, total_seconds)},
          {"ranks", Json::array()},
          {"error",
           {{"what", all.front().at("what")},
            {"where", all.front().at("where")},
            {"remedy", all.front().at("remedy")},
            {"rank", nullptr},
            {"phase", "start"},
            {"last_lines", Json::array()}}},
          {"errors", all}};
}

void write_report(const Json& report, const std::string& path, bool in_run_folder) {
  write_whole(path, report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
              {.what = "the report", .remedy = report_remedy, .mode = 0644, .own_folder = in_run_folder});
}

bool may_hold_report(const std::string& path) {
  if (descriptor_named(path)) return true;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return true;
  if (!std::filesystem::is_regular_file(path, error)) return true;  // a device or pipe; a folder is refused later
  if (std::filesystem::file_size(path, error) == 0) return true;
  std::array<char, 12> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) == "{\n  \"status\"";
}

void try_report(const std::string& path) {
  try {
    try_whole(path, {.what = "the report", .remedy = report_remedy});
  } catch (const EnvironmentFault& fault) {  // of the command line, and nothing has started
    throw UserError(fault.message(), fault.where(), fault.remedy());
  }
}

}  // namespace tradewind::launcher
