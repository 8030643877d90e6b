#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "common/checkpoint/opening/obstacles.h"
#include "common/config/load.h"
#include "common/errors.h"
#include "common/file_text.h"
#include "common/files/whole_file.h"
#include "common/nearest.h"
#include "launcher/commands/commands.h"
#include "launcher/requests/requests.h"

namespace tradewind::launcher {
namespace {

// What the requests depend on. Inputs and outputs do not matter: they may be of kinds that this build has not.
config::RunConfig read_config(const RetrieveCommand& command, const Environment& environment) {
  config::LoadRequest request{.config = command.config, .defaults = command.defaults, .overrides = command.overrides};
  for (const char* other : {"input=dummy", "output=none", "constant_forcings=null", "dynamic_forcings=null"})
    request.overrides.emplace_back(other);
  config::Findings findings;
  const config::ConfigDocument document = config::merge_config(request, environment, findings);
  config::RunConfig config = config::parse_run_config(document, findings);
  findings.throw_refusals();
  return config;
}

checkpoint::Metadata metadata_of(const config::RunConfig& config, const std::string& dataset) {
  checkpoint::Examined found = checkpoint::examine(
      config.checkpoint, {.precision_given = config.precision.has_value(), .patch_metadata = config.patch_metadata});
  if (found.metadata.empty()) refuse_all(std::move(found.obstacles));
  if (found.metadata.empty()) throw UserError("the checkpoint says nothing of its data", config.checkpoint, "");
  if (dataset.empty()) return found.metadata.front();
  std::vector<std::string> names;
  for (checkpoint::Metadata& one : found.metadata) {
    if (one.dataset == dataset) return std::move(one);
    names.push_back(one.dataset);
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  throw UserError("the checkpoint has no dataset `" + dataset + "`", "--dataset-name",
                  did_you_mean(dataset, names) + "it has " + list);
}

void check_categories(const Categories& given, const char* option) {
  for (const std::string& together : given) {
    std::istringstream parts(together);
    for (std::string one; std::getline(parts, one, '+');) {
      const auto& known = known_categories();
      if (std::find(known.begin(), known.end(), one) != known.end()) continue;
      throw UserError(
          "no such kind of variables: `" + one + "`", option,
          did_you_mean(one, known) + "there are accumulation, computed, constant, diagnostic, forcing and prognostic");
    }
  }
}

Selection selection_for(const RetrieveCommand& command) {
  std::optional<Selection> selection = selection_of(command.input_type);
  if (!selection)
    throw UserError("no such input type: `" + command.input_type + "`", "--input-type",
                    did_you_mean(command.input_type, input_types()) +
                        "there are constant-forcings, default-input, dynamic-forcings and prognostics");
  check_categories(command.include, "--include");
  check_categories(command.exclude, "--exclude");
  selection->include.insert(selection->include.end(), command.include.begin(), command.include.end());
  selection->exclude.insert(selection->exclude.end(), command.exclude.begin(), command.exclude.end());
  for (const std::string& one : selection->include)
    if (std::find(selection->exclude.begin(), selection->exclude.end(), one) != selection->exclude.end())
      throw UserError("`" + one + "` is to be included and excluded", "--include, --exclude",
                      "see --input-type, which has some of both");
  return *selection;
}

// Of the starts: one of the command line or the config, or a line each in a file.
std::vector<Time> starts_of(const RetrieveCommand& command, const config::RunConfig& config) {
  if (!command.staging_dates.empty()) {
    constexpr std::size_t most = std::size_t{16} << 20;
    std::error_code error;
    if (!std::filesystem::is_regular_file(command.staging_dates, error) ||
        std::filesystem::file_size(command.staging_dates, error) > most)
      throw UserError("no file of dates", command.staging_dates, "give a text file with a date on each line");
    std::istringstream lines(file_text(command.staging_dates));
    std::vector<Time> starts;
    for (std::string line; std::getline(lines, line);)
      if (line.find_first_not_of(" \t\r") != std::string::npos) starts.push_back(parse_date(line));
    if (!starts.empty()) return starts;
    throw UserError("no date in the file", command.staging_dates, "write a date on each line");
  }
  if (!command.date.empty()) return {parse_date(command.date)};
  if (config.date) return {*config.date};
  throw UserError("no date", "--date", "give --date or --staging-dates, or `date` in the config");
}

std::vector<Time> dates_of(const RetrieveCommand& command, const config::RunConfig& config,
                           const checkpoint::TimeStepping& time) {
  std::set<Time> dates;
  // Of a temporal downscaler every call reads its inputs anew.
  const bool anew = time.between_inputs && time.rollout_shift.count() > 0;
  const Duration windows = anew ? config.lead_time : Duration{1}, window = anew ? time.rollout_shift : Duration{1};
  for (const Time start : starts_of(command, config)) {
    for (const Duration offset : time.input_offsets) {
      for (Duration lead{0}; lead < windows; lead += window) dates.insert(start + lead + offset);
      if (!command.forecast_dates) continue;
      for (Duration lead = time.timestep; lead <= config.lead_time; lead += time.timestep)
        dates.insert(start + offset + lead);
    }
  }
  return {dates.begin(), dates.end()};
}

std::vector<std::pair<std::string, std::string>> pairs_of(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& word : words) {
    const std::size_t at = word.find('=');
    if (at == std::string::npos || at == 0) throw UserError("`" + word + "` is no KEY=VALUE", "--extra", "");
    pairs.emplace_back(word.substr(0, at), word.substr(at + 1));
  }
  return pairs;
}

}  // namespace

int retrieve(const RetrieveCommand& command, const Environment& environment) {
  if (command.use_grib_paramid)
    throw UserError("names of parameters cannot be turned into numbers here", "--use-grib-paramid",
                    "leave it out: MARS takes names too");
  const config::RunConfig config = read_config(command, environment);
  const checkpoint::Metadata metadata = metadata_of(config, command.dataset);
  std::vector<Json> requests = requests_for(metadata, {.selection = selection_for(command),
                                                       .dates = dates_of(command, config, metadata.time),
                                                       .split_times = command.use_scda,
                                                       .extra = pairs_of(command.extra),
                                                       .pre_processors = config.pre_processors,
                                                       .post_processors = config.post_processors});
  // One file takes them all.
  if (requests.size() > 1) requests.front()["target"] = command.target;
  std::string text;
  if (command.mars) {
    for (const Json& request : requests) text += mars_text(command.verb, request) + "\n";
  } else {
    text = Json(requests).dump(4, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  if (command.output.empty() || command.output == "-")
    std::cout << text;
  else
    write_whole(command.output, text, {.what = "the requests"});
  return 0;
}

}  // namespace tradewind::launcher
