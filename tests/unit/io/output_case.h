// A forecast of three variables on o48, and what writes it, for the tests of outputs.
#pragma once

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/outputs/output.h"

namespace tradewind::test {

using namespace tradewind::outputs;
using std::chrono::hours;

inline const Time start = parse_date("2024-01-15T06:00:00");
inline constexpr std::int64_t points = 10944;  // o48

inline checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.grid = "o48";
  metadata.grid_points = points;
  for (const std::string name : {"2t", "msl", "tp", "t_850", "cos_latitude"}) {
    metadata.variables[name].name = name;
    metadata.variables[name].mars = {{"param", name.substr(0, name.find('_'))}, {"levtype", "sfc"}};
  }
  metadata.variables["t_850"].mars = {{"param", "t"}, {"levtype", "pl"}, {"levelist", 850}};
  metadata.variables["tp"].process = checkpoint::Process::accumulation;
  metadata.variables["tp"].period = {Duration::zero(), hours(6)};
  metadata.variables["cos_latitude"].computed_forcing = true;
  metadata.output = {"2t", "msl", "tp", "t_850"};
  return metadata;
}

inline State state_at(long step, std::vector<std::string> variables = {"2t", "msl", "tp", "t_850", "cos_latitude"},
                      int ranks = 1) {
  State state;
  state.grid = std::make_shared<const fields::Grid>(fields::Grid{fields::Rows(dist::Shards(points, ranks)), {}});
  state.base = start;
  state.step = hours(step);
  state.previous_step = hours(std::max(0L, step - 6));
  const auto count = static_cast<std::int64_t>(variables.size());
  state.variables = std::move(variables);
  state.values =
      at::arange(count * points, at::kFloat).remainder(10007).add(static_cast<double>(step)).view({count, points});
  return state;
}

inline OutputContext context_of(const checkpoint::Metadata& metadata) { return {.metadata = metadata}; }

// A forecast that comes to these lead times, in hours.
inline Outlook outlook_of(const std::vector<long>& steps, int ranks = 1) {
  Outlook outlook;
  outlook.initial = outlook.forecast = state_at(0, {"2t", "msl", "tp", "t_850", "cos_latitude"}, ranks);
  outlook.initial.values = outlook.forecast.values = at::Tensor();
  for (const long step : steps) outlook.moments.push_back({hours(step), hours(std::max(0L, step - 6))});
  return outlook;
}

inline config::GribOutputConfig to(const std::string& path) {
  config::GribOutputConfig config;
  config.path = path;
  return config;
}

// Three states through an output of so many ranks.
inline void write_all(const config::GribOutputConfig& config, int ranks, bool prepared = false) {
  const auto metadata = some_metadata();
  const auto as_rank = [&](dist::Communicator& communicator) {
    OutputContext context = context_of(metadata);
    context.write_initial_state = false;
    const auto output = make_output(config, context, communicator);
    const dist::RowRange rows = dist::Shards(points, ranks).range(communicator.rank());
    if (prepared) CHECK(output->prepare(outlook_of({6, 12, 18}, ranks)).empty());
    for (const long step : {6, 12, 18}) {
      State state = state_at(step, {"2t", "msl", "tp", "t_850", "cos_latitude"}, ranks);
      state.values = state.values.slice(1, rows.begin, rows.end).contiguous();
      output->write(state);
    }
    output->close();
  };
  if (ranks > 1) return tradewind::testing::run_ranks(ranks, as_rank);
  const auto communicator = dist::make_single_communicator();
  as_rank(*communicator);
}

}  // namespace tradewind::test
