// Columns of the model's input and output, the roles of their variables, and the steps in time.
#include <algorithm>
#include <set>

#include "common/checkpoint/metadata_parts.h"

namespace tradewind::checkpoint {
namespace {

using Names = std::vector<std::string>;

// name -> column, as a list by column.
Names by_column(const JsonNode& node, const std::vector<std::pair<std::string, std::int64_t>>& columns) {
  Names out(columns.size());
  for (const auto& [name, column] : columns) {
    if (column < 0 || column >= static_cast<std::int64_t>(out.size()) ||
        !out[static_cast<std::size_t>(column)].empty()) {
      node.fail("columns are not numbered from 0 to " + std::to_string(out.size() - 1) + ", each once (" + name + ")");
    }
    out[static_cast<std::size_t>(column)] = name;
  }
  return out;
}

// Layout with datasets: the table is given.
Names stored_columns(const JsonNode& table) {
  if (!table.value().is_object()) table.fail("a table is needed");
  std::vector<std::pair<std::string, std::int64_t>> columns;
  for (const auto& item : table.value().items()) columns.emplace_back(item.key(), table.at(item.key()).integer());
  return by_column(table, columns);
}

const std::string& variable_at(const JsonNode& node, const Names& variables, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(variables.size())) {
    node.fail("variable " + std::to_string(index) + " of " + std::to_string(variables.size()));
  }
  return variables[static_cast<std::size_t>(index)];
}

// Layout of one dataset: its variables, taken at `data`, are the model's columns `model`.
Names matched_columns(const JsonNode& indices, std::string_view side, const Names& variables) {
  const JsonNode data = indices.at_path({"data", side, "full"}), model = indices.at_path({"model", side, "full"});
  const auto from = data.integers(), to = model.integers();
  if (from.size() != to.size()) model.fail("as many columns are needed as " + data.path() + " has");
  std::vector<std::pair<std::string, std::int64_t>> columns;
  for (std::size_t i = 0; i < from.size(); ++i) columns.emplace_back(variable_at(data, variables, from[i]), to[i]);
  return by_column(model, columns);
}

Names in_order(const Names& columns, const std::set<std::string>& wanted) {
  Names out;
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(out),
               [&](const std::string& name) { return wanted.contains(name); });
  return out;
}

struct Roles {
  std::set<std::string> prognostic, diagnostic, forcing;
};

Roles stored_roles(const JsonNode& types) {
  const auto names = [&](std::string_view role) {
    const auto list = types.find(role);
    const Names found = list ? list->texts() : Names{};
    return std::set<std::string>(found.begin(), found.end());
  };
  return {names("prognostic"), names("diagnostic"), names("forcing")};
}

Roles roles_by_index(const MetadataLayout& layout, const Metadata& metadata) {
  Roles roles;
  const Names forcing = layout.config.at_path({"data", "forcing"}).texts();
  roles.forcing = {forcing.begin(), forcing.end()};
  const JsonNode diagnostic = layout.indices.at_path({"data", "input", "diagnostic"});
  for (const std::int64_t index : diagnostic.integers()) {
    roles.diagnostic.insert(variable_at(diagnostic, metadata.dataset_variables, index));
  }
  const JsonNode prognostic = layout.indices.at_path({"model", "output", "prognostic"});
  for (const std::int64_t column : prognostic.integers()) {
    roles.prognostic.insert(variable_at(prognostic, metadata.output, column));
  }
  return roles;
}

void require_roles(const JsonNode& where, const Metadata& metadata, const Roles& roles) {
  for (const std::string& name : metadata.input) {
    if (!metadata.variables.contains(name)) where.fail("input variable " + name + " is not in the dataset");
    if (!roles.prognostic.contains(name) && !roles.forcing.contains(name)) {
      where.fail("input variable " + name + " is neither prognostic nor a forcing");
    }
  }
  for (const std::string& name : metadata.output) {
    if (!metadata.variables.contains(name)) where.fail("output variable " + name + " is not in the dataset");
    if (!roles.prognostic.contains(name) && !roles.diagnostic.contains(name)) {
      where.fail("output variable " + name + " is neither prognostic nor diagnostic");
    }
  }
}

void read_prognostic_columns(const MetadataLayout& layout, Metadata& out) {
  const JsonNode to = layout.indices.at_path({"model", "input", "prognostic"});
  const JsonNode from = layout.indices.at_path({"model", "output", "prognostic"});
  const auto inputs = to.integers(), outputs = from.integers();
  if (inputs.size() != outputs.size()) to.fail("as many columns are needed as " + from.path() + " has");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = variable_at(from, out.output, outputs[i]);
    if (variable_at(to, out.input, inputs[i]) != name) {
      to.fail("output variable " + name + " would become input variable " + variable_at(to, out.input, inputs[i]));
    }
    out.prognostic_columns.emplace_back(outputs[i], inputs[i]);
  }
}

std::vector<Duration> durations(const JsonNode& list) {
  std::vector<Duration> out;
  for (const JsonNode& item : list.items()) out.push_back(item.duration());
  if (!std::is_sorted(out.begin(), out.end())) list.fail("times must ascend");
  return out;
}

std::vector<std::pair<std::int64_t, std::int64_t>> index_pairs(const JsonNode& list) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const JsonNode& item : list.items()) {
    const auto pair = item.integers();
    if (pair.size() != 2) item.fail("a pair is needed");
    out.emplace_back(pair[0], pair[1]);
  }
  return out;
}

// n inputs and m outputs: the last outputs become the last inputs, what remains of the inputs moves to the front.
void default_advance(TimeStepping& time) {
  const auto n = static_cast<std::int64_t>(time.input_offsets.size());
  const auto m = static_cast<std::int64_t>(time.output_offsets.size());
  for (std::int64_t i = 0; i < std::min(n, m); ++i) time.output_to_input.emplace_back(m - i - 1, n - i - 1);
  for (std::int64_t i = m; i < n; ++i) time.input_to_input.emplace_back(i, i - m);
}

bool is_downscaler(std::string task) {
  std::replace(task.begin(), task.end(), '_', '-');
  return task == "temporal-downscaler" || task == "time-interpolator";
}

// Two inputs at indices a < b of the data, outputs at those between, b with them or not.
void read_window(const MetadataLayout& layout, const JsonNode& steps, TimeStepping& time) {
  const JsonNode inputs = steps.at("input_relative_date_indices"), outputs = steps.at("output_relative_date_indices");
  const auto ends = inputs.integers(), between = outputs.integers();
  if (ends.size() != 2 || ends[0] != 0 || ends[1] < 1 || ends[1] > 100000)
    inputs.fail("a temporal downscaler needs two input times, the first of them 0");
  const auto count = static_cast<std::int64_t>(between.size());
  bool consecutive = count == ends[1] - 1 || count == ends[1];
  for (std::int64_t i = 0; i < count; ++i) consecutive = consecutive && between[static_cast<std::size_t>(i)] == i + 1;
  if (!consecutive || count == 0)
    outputs.fail(
        "a temporal downscaler's outputs must be the times after its first input, up to its second or "
        "the one before");
  const auto step = layout.config.find_path({"task", "output_timestep"});
  const Duration frequency =
      (step && !step->value().is_null() ? *step : layout.config.at_path({"data", "frequency"})).duration();
  if (frequency <= Duration::zero()) layout.config.fail("the time step of the data must be positive");
  time.between_inputs = true;
  time.input_offsets = {Duration::zero(), ends[1] * frequency};
  for (std::int64_t i = 1; i <= count; ++i) time.output_offsets.push_back(i * frequency);
  time.rollout_shift = ends[1] * frequency;
}

}  // namespace

void read_columns(const MetadataLayout& layout, Metadata& out) {
  Roles roles;
  if (layout.inference) {
    out.input = stored_columns(layout.inference->at_path({"data_indices", "input"}));
    out.output = stored_columns(layout.inference->at_path({"data_indices", "output"}));
    roles = stored_roles(layout.inference->at("variable_types"));
  } else {
    out.input = matched_columns(layout.indices, "input", out.dataset_variables);
    out.output = matched_columns(layout.indices, "output", out.dataset_variables);
    roles = roles_by_index(layout, out);
  }
  require_roles(layout.inference ? *layout.inference : layout.indices, out, roles);
  out.prognostic = in_order(out.input, roles.prognostic);
  out.forcing = in_order(out.input, roles.forcing);
  out.diagnostic = in_order(out.output, roles.diagnostic);
  read_prognostic_columns(layout, out);
}

void read_time(const MetadataLayout& layout, Metadata& out) {
  TimeStepping& time = out.time;
  std::size_t inputs = 0, outputs = 1;
  std::optional<JsonNode> steps;
  if (layout.inference) {
    steps = layout.inference->at("timesteps");
    time.timestep = steps->at("timestep").duration();
    inputs = steps->at("input_relative_date_indices").items().size();
    outputs = steps->at("output_relative_date_indices").items().size();
  } else {
    time.timestep = layout.config.at_path({"data", "timestep"}).duration();
    const JsonNode count = layout.config.at_path({"training", "multistep_input"});
    if (count.integer() < 1 || count.integer() > 1000) count.fail("a number of input steps is needed");
    inputs = static_cast<std::size_t>(count.integer());
  }
  const JsonNode where = steps ? *steps : layout.config;
  if (time.timestep <= Duration::zero()) where.fail("the time step must be positive");
  if (inputs == 0 || outputs == 0) where.fail("at least one input and one output time are needed");
  if (steps && is_downscaler(out.task)) {
    read_window(layout, *steps, time);
    return;
  }
  const auto given = [&](std::string_view key) -> std::optional<JsonNode> {
    auto node = steps ? steps->find(key) : std::nullopt;
    return node && !node->value().empty() ? node : std::nullopt;
  };
  if (const auto offsets = given("input_offsets")) {
    time.input_offsets = durations(*offsets);
    if (time.input_offsets.back() != Duration::zero()) offsets->fail("the last input must be at offset 0");
  } else {
    for (std::size_t i = inputs; i > 0; --i) time.input_offsets.push_back(-static_cast<int>(i - 1) * time.timestep);
  }
  if (const auto offsets = given("output_offsets")) {
    time.output_offsets = durations(*offsets);
  } else {
    for (std::size_t i = 1; i <= outputs; ++i) time.output_offsets.push_back(static_cast<int>(i) * time.timestep);
  }
  const auto shift = given("rollout_shift");
  time.rollout_shift = shift ? shift->duration() : time.output_offsets.back();
  if (time.rollout_shift <= Duration::zero()) where.fail("a model call must move forward in time");
  if (const auto map = given("advance_map")) {
    if (const auto moves = map->find("inin")) time.input_to_input = index_pairs(*moves);
    if (const auto moves = map->find("outin")) time.output_to_input = index_pairs(*moves);
  } else {
    default_advance(time);
  }
}

}  // namespace tradewind::checkpoint
