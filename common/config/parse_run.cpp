// The top-level keys, in the order of docs/config.md.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "common/config/load.h"
#include "common/config/nodes/path_text.h"
#include "common/config/nodes/reader.h"
#include "common/config/parse.h"
#include "common/device_name.h"
#include "common/errors.h"
#include "common/nearest.h"
#include "common/precision.h"

namespace tradewind::config {
namespace {

const std::vector<std::string>& top_level_keys() {
  static const std::vector<std::string> keys{"checkpoint",
                                             "runner",
                                             "world_size",
                                             "cluster",
                                             "date",
                                             "lead_time",
                                             "description",
                                             "name",
                                             "verbosity",
                                             "use_profiler",
                                             "input",
                                             "output",
                                             "pre_processors",
                                             "mid_processors",
                                             "post_processors",
                                             "dynamic_forcings",
                                             "constant_forcings",
                                             "device",
                                             "precision",
                                             "seed",
                                             "allow_nans",
                                             "use_grib_paramid",
                                             "write_initial_state",
                                             "initial_state_categories",
                                             "predict_kwargs",
                                             "typed_variables",
                                             "output_frequency",
                                             "check_variables_compatibility",
                                             "env",
                                             "patch_metadata",
                                             "development_hacks",
                                             "trace_path",
                                             "debugging_info",
                                             "preload_checkpoint",
                                             "preload_buffer_size"};
  return keys;
}

std::string parse_checkpoint(const Node& node, const std::string& key) {
  std::string path = as_path_part(node, key);
  if (path.empty()) throw UserError("`checkpoint` is empty", node.where.text(), "give the path of the checkpoint");
  return path;
}

constexpr std::size_t kLongestDate = 100;

Time parse_run_date(const Node& node, Time today) {
  try {
    if (node.is_text() && node.text().size() <= kLongestDate) return parse_date(node.text());
    if (node.is(Node::Kind::integer) || node.is(Node::Kind::boolean)) {
      return date_from_integer(as_integer(node, "date"), today);
    }
  } catch (const UserError& error) {
    throw UserError(
        "`date`: " + error.message(), node.where.text(),
        node.is_text() && node.text().starts_with("-") ? "days from today are written without quotes" : error.remedy());
  }
  throw UserError("`date` must be a date, not " + node.kind_text(), node.where.text(),
                  "write 2020-01-01T12:00, 20200101, or 0, -1, ... for days from today");
}

std::string parse_device(const Node& node) {
  std::string text = as_text(node, "device");
  if (device_name_of(text)) return text;
  throw UserError("device '" + clipped(text) + "' is not supported by this build", node.where.text(),
                  "this build has cpu, cuda and cuda:N");
}

Precision parse_precision(const Node& node) {
  const std::string name = as_text(node, "precision");
  if (const auto precision = precision_of(name)) return *precision;
  throw UserError("precision '" + clipped(name) + "' is not known", node.where.text(),
                  did_you_mean(name, precision_names()) + "it is one of " + listed(precision_names()));
}

std::optional<std::int64_t> parse_seed(const Node* node, const ConfigDocument& document, Findings& findings) {
  const std::optional<std::string>& base = document.base_seed;
  if (node != nullptr) {
    if (base) findings.warn(node->where, "`seed` counts, ANEMOI_BASE_SEED=" + clipped(*base) + " does not");
    return as_integer(*node, "seed");
  }
  if (!base) return std::nullopt;
  return as_integer(Node::of(*base, {"environment", 0, 0}), "ANEMOI_BASE_SEED");
}

Duration parse_lead_time(const Node& node) {
  const Duration lead_time = as_duration(node, "lead_time");
  if (lead_time.count() < 0) {
    throw UserError("`lead_time` is negative: " + duration_text(lead_time), node.where.text(), "write for example 10d");
  }
  return lead_time;
}

Duration parse_frequency(const Node& node) {
  if (!node.is_text()) as_text(node, "output_frequency");  // an integer is refused, as in the reference
  const Duration frequency = as_duration(node, "output_frequency");
  if (frequency.count() > 0) return frequency;
  throw UserError("`output_frequency` must be longer than nothing", node.where.text(), "write for example 6h");
}

std::vector<std::string> parse_categories(const Node& node, Findings& findings) {
  std::vector<std::string> categories;
  std::size_t index = 0;
  for (const Node& item : as_list(node, "initial_state_categories").items) {
    const std::string key = "initial_state_categories." + std::to_string(index++);
    findings.attempt([&] {
      std::string category = as_choice(item, key, {"prognostics", "constant_forcings", "dynamic_forcings"});
      if (std::find(categories.begin(), categories.end(), category) != categories.end())
        findings.warn(item.where, quoted(key) + ": " + category + " is there already");
      else
        categories.push_back(std::move(category));
    });
  }
  return categories;
}

int parse_verbosity(const Node& node, const std::string& key, Findings& findings) {
  const std::int64_t given = as_integer(node, key);
  const auto level = static_cast<int>(std::clamp<std::int64_t>(given, 0, 3));
  if (given != level)
    findings.warn(node.where,
                  quoted(key) + " is from 0 to 3: " + std::to_string(given) + " is taken as " + std::to_string(level));
  if (level > 0)
    findings.warn(node.where, quoted(key) + " shows what --verbose does: the tables of tensors are not built here");
  return level;
}

Json parse_typed_variables(const Node& node, Findings& findings) {
  for (const Node::Entry& entry : as_map(node, "typed_variables").entries) {
    findings.attempt([&] { as_map(entry.value, "typed_variables." + entry.key); });
  }
  return node.to_json();
}

std::string parse_env_value(const Node::Entry& entry) {
  const std::string key = "env." + entry.key;
  if (entry.key.empty() || entry.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
    throw UserError(quoted(entry.key) + " is no name of an environment variable", entry.where.text(),
                    "write for example OMP_NUM_THREADS: 4");
  }
  if (entry.value.is(Node::Kind::null) || entry.value.is_container()) as_text(entry.value, key);
  return entry.value.is_text() ? entry.value.text() : std::to_string(as_integer(entry.value, key));
}

std::map<std::string, std::string> parse_env(const Node& node, Findings& findings) {
  std::map<std::string, std::string> env;
  for (const Node::Entry& entry : as_map(node, "env").entries)
    findings.attempt([&] { env[entry.key] = parse_env_value(entry); });
  return env;
}

// Keys that are part of the table but have no effect here, nor on any forecast elsewhere.
void parse_idle(const MapReader& reader, Findings& findings) {
  const auto idle = [&](const std::string& name, const std::string& why) {
    findings.warn(reader.where(name), quoted(name) + " has no effect" + why);
  };
  for (const char* name : {"development_hacks", "debugging_info"}) {
    reader.take(name, [&](const Node& node, const std::string& key) {
      if (!as_map(node, key).entries.empty()) idle(key, "");
    });
  }
  reader.take("use_grib_paramid", [&](const Node& node, const std::string& key) {
    if (as_boolean(node, key))
      idle(key, ": it is for requests to MARS and for archive requests, and none are made here");
  });
  reader.take("preload_checkpoint", [&](const Node& node, const std::string& key) {
    if (as_boolean(node, key)) idle(key, ": the checkpoint is mapped, and each rank reads what it needs");
  });
  reader.take("preload_buffer_size", [&](const Node& node, const std::string& key) {
    as_integer(node, key);
    idle(key, ": the checkpoint is mapped, and each rank reads what it needs");
  });
}

void refuse_unbuilt(const MapReader& reader) {
  reader.take("use_profiler", [&](const Node& node, const std::string& key) {
    if (!as_boolean(node, key)) return;
    throw UserError("`use_profiler` is not supported by this build", reader.where(key).text(),
                    "leave it out; `--report FILE` gives the times of each part");
  });
  reader.take("mid_processors", [&](const Node& node, const std::string& key) {
    if (as_list(node, key).items.empty()) return;
    throw UserError("`mid_processors` are not supported by this build", reader.where(key).text(), "leave them out");
  });
  reader.take_set("check_variables_compatibility", [&](const Node& node, const std::string& key) {
    as_map(node, key);
    reader.unsupported(key, "leave it out");
  });
  reader.unsupported("trace_path", "leave it out");
}

void parse_forecast(const MapReader& reader, const ConfigDocument& document, RunConfig& config, Findings& findings) {
  reader.take_set("date",
                  [&](const Node& node, const std::string&) { config.date = parse_run_date(node, document.today); });
  reader.take("lead_time", [&](const Node& node, const std::string&) { config.lead_time = parse_lead_time(node); });
  reader.take_set("device", [&](const Node& node, const std::string&) { config.device = parse_device(node); });
  reader.take_set("precision", [&](const Node& node, const std::string&) { config.precision = parse_precision(node); });
  findings.attempt([&] { config.seed = parse_seed(reader.find_set("seed"), document, findings); });
  reader.take_set("allow_nans",
                  [&](const Node& node, const std::string& key) { config.allow_nans = as_boolean(node, key); });
  reader.take("write_initial_state",
              [&](const Node& node, const std::string& key) { config.write_initial_state = as_boolean(node, key); });
  reader.take("initial_state_categories", [&](const Node& node, const std::string&) {
    config.initial_state_categories = parse_categories(node, findings);
  });
  reader.take_set("output_frequency",
                  [&](const Node& node, const std::string&) { config.output_frequency = parse_frequency(node); });
  reader.take("predict_kwargs", [&](const Node& node, const std::string& key) {
    config.sampling = parse_predict_kwargs(node, key, findings);
  });
  reader.take("pre_processors", [&](const Node& node, const std::string& key) {
    config.pre_processors = parse_pre_processors(node, key, findings);
  });
  reader.take("post_processors", [&](const Node& node, const std::string& key) {
    config.post_processors = parse_post_processors(node, key, findings);
  });
}

// What is said about the run and its surroundings.
void parse_texts(const MapReader& reader, RunConfig& config, Findings& findings) {
  reader.take_set("description",
                  [&](const Node& node, const std::string& key) { config.description = as_text(node, key); });
  reader.take_set("name", [&](const Node& node, const std::string& key) { config.name = as_text(node, key); });
  reader.take("verbosity", [&](const Node& node, const std::string& key) {
    config.verbosity = parse_verbosity(node, key, findings);
  });
  reader.take("typed_variables", [&](const Node& node, const std::string&) {
    config.typed_variables = parse_typed_variables(node, findings);
  });
  reader.take("patch_metadata",
              [&](const Node& node, const std::string& key) { config.patch_metadata = as_map(node, key).to_json(); });
  reader.take("env", [&](const Node& node, const std::string&) { config.env = parse_env(node, findings); });
}

void parse_streams(const MapReader& reader, const ConfigDocument& document, RunConfig& config, Findings& findings) {
  using Part = std::optional<InputConfig> DatasetParts::*;
  const auto input = [&](const Node& node, const std::string& key, Part part, auto& of_all) {
    const std::vector<Node::Entry> named = inputs_by_dataset(node);
    if (named.empty()) of_all = parse_input(node, key, findings);
    for (const Node::Entry& entry : named) {
      findings.attempt(
          [&] { config.datasets[entry.key].*part = parse_input(entry.value, key + "." + entry.key, findings); });
    }
  };
  const auto forcings = [&](const std::string& name, Part part, std::optional<InputConfig>& of_all) {
    reader.take_set(name, [&](const Node& node, const std::string& key) { input(node, key, part, of_all); });
  };
  const Node none = Node::of("test", {document.name, 0, 0});
  if (const Node* node = reader.find("input"); node != nullptr || !reader.meant("input"))
    findings.attempt([&] { input(node != nullptr ? *node : none, "input", &DatasetParts::input, config.input); });
  forcings("constant_forcings", &DatasetParts::constant_forcings, config.constant_forcings);
  forcings("dynamic_forcings", &DatasetParts::dynamic_forcings, config.dynamic_forcings);
  config.output = PrinterOutputConfig{};
  reader.take("output", [&](const Node& node, const std::string& key) {
    const std::vector<Node::Entry> named = outputs_by_dataset(node);
    if (named.empty()) config.output = parse_output(node, key, findings);
    for (const Node::Entry& entry : named) {
      findings.attempt(
          [&] { config.datasets[entry.key].output = parse_output(entry.value, key + "." + entry.key, findings); });
    }
  });
}

}  // namespace

RunConfig parse_run_config(const ConfigDocument& document, Findings& findings) {
  RunConfig config;
  const MapReader reader(document.root, "", top_level_keys(), findings);
  if (reader.find("checkpoint") == nullptr && !reader.meant("checkpoint")) {
    findings.refuse(UserError("`checkpoint` is missing", document.name, "add checkpoint: inference-last.ckpt"));
  }
  reader.take("checkpoint",
              [&](const Node& node, const std::string& key) { config.checkpoint = parse_checkpoint(node, key); });
  findings.attempt([&] {
    const Node* runner = reader.find("runner");
    config.runner = parse_runner(runner == nullptr ? Node::of("auto", document.root.where) : *runner,
                                 reader.find_set("world_size"), reader.find_set("cluster"), document.plugins, findings);
  });
  parse_forecast(reader, document, config, findings);
  parse_texts(reader, config, findings);
  parse_streams(reader, document, config, findings);
  refuse_unbuilt(reader);
  parse_idle(reader, findings);
  return config;
}

RunConfig for_dataset(const RunConfig& config, const std::string& dataset) {
  RunConfig out = config;
  out.datasets.clear();
  const auto found = config.datasets.find(dataset);
  if (found == config.datasets.end()) return out;
  const DatasetParts& own = found->second;
  if (own.input) out.input = *own.input;
  if (own.constant_forcings) out.constant_forcings = own.constant_forcings;
  if (own.dynamic_forcings) out.dynamic_forcings = own.dynamic_forcings;
  if (own.output) out.output = *own.output;
  return out;
}

std::vector<RunConfig> by_dataset(const RunConfig& config) {
  if (config.datasets.empty()) return {config};
  std::vector<RunConfig> all;
  for (const auto& [name, parts] : config.datasets) all.push_back(for_dataset(config, name));
  return all;
}

RunConfig parse_run_config(const ConfigDocument& document) {
  Findings findings;
  findings.set_sources(document.sources);
  RunConfig config = parse_run_config(document, findings);
  findings.throw_refusals();
  return config;
}

}  // namespace tradewind::config
