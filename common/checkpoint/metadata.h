// The metadata JSON of a checkpoint (anemoi.json, ai-models.json), of either layout, as one set of facts about each of
// its datasets (checkpoint.h reads them all): variables, roles, columns, time steps, grid, supporting arrays.
// Plain values, immutable after reading. Errors: UserError with the path in the JSON.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/dates.h"

namespace tradewind::checkpoint {

using Json = nlohmann::ordered_json;

enum class Process { instantaneous, accumulation, average, maximum, minimum, other };

struct Variable {
  std::string name;
  Json mars = Json::object();  // param, levtype, levelist, ...
  bool computed_forcing = false;
  bool constant_in_time = false;
  Process process = Process::instantaneous;
  std::optional<std::pair<Duration, Duration>> period;  // start and end relative to valid time's step
  std::optional<std::string> units;

  bool accumulated() const { return process == Process::accumulation; }
  std::string param() const;                 // mars.param, else the name
  std::optional<std::string> level() const;  // mars.levelist as text
};

struct TimeStepping {
  Duration timestep{};
  std::vector<Duration> input_offsets;   // relative to the last input date, ascending, last 0
  std::vector<Duration> output_offsets;  // relative to the last input date, e.g. {6h} or {6h, 12h, 18h}
  Duration rollout_shift{};              // by how much one model call moves the state
  // Of a temporal downscaler: offsets count from the first of two input dates, between which outputs lie, and every
  // model call reads its inputs anew.
  bool between_inputs = false;
  // How the next input is made, as pairs of time indices, applied in this order: inputs that move (from, to), negative
  // ones from the end; then outputs that become inputs (from, to).
  std::vector<std::pair<std::int64_t, std::int64_t>> input_to_input, output_to_input;
};

struct Metadata {
  Json raw;             // the whole document (after patch_metadata)
  std::string dataset;  // name of the dataset
  bool multi_dataset_layout = false;
  std::string task = "forecaster";
  std::string precision;                       // config.training.precision as written; empty when absent
  std::map<std::string, Variable> variables;   // typed, by name
  std::vector<std::string> dataset_variables;  // dataset order
  std::vector<std::string> variable_order;     // order in which the reference goes through variables to select some
  std::vector<std::string> input;              // model input columns, in order
  std::vector<std::string> output;             // model output columns, in order
  std::vector<std::string> prognostic, diagnostic, forcing;  // roles, by input column (diagnostic: output column)
  std::vector<std::pair<std::int64_t, std::int64_t>> prognostic_columns;  // (output column, input column)
  TimeStepping time;
  std::string grid;              // e.g. "o96", upper or lower case as written, a list joined by /; empty when unknown
  std::int64_t grid_points = 0;  // 0 when unknown
  std::vector<std::string> new_keys;  // dotted paths that patch_metadata created, for a warning
  // supporting arrays: name -> entry of the archive, shape and dtype (numpy name)
  struct Array {
    std::string entry;
    std::vector<std::int64_t> shape;
    std::string dtype;
  };
  std::map<std::string, Array> arrays;
};

// The facts about the first dataset in a document of either layout. `patch` (patch_metadata of the run configuration;
// for all datasets, or for each by its name) is merged into it first: tables recursively, anything else replaces.
// Errors name the path in the document.
Metadata interpret_metadata(Json document, const Json& patch = Json::object());

}  // namespace tradewind::checkpoint
