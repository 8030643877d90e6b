// The top-level keys, in the order of docs/config.md.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "common/config/load.h"
#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"
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

std::string parse_checkpoint(const MapReader& reader, const ConfigDocument& document) {
  const Node* node = reader.find("checkpoint");
  if (node == nullptr) {
    throw UserError("`checkpoint` is missing", document.name, "add checkpoint: inference-last.ckpt");
  }
  // The reference takes the map of a download also as JSON text.
  if (node->is_map() || (node->is_text() && node->text().starts_with("{"))) {
    throw UserError("`checkpoint` from huggingface is not supported by this build", node->where.text(),
                    "download it first and give its path");
  }
  return as_text(*node, "checkpoint");
}

std::optional<Time> parse_run_date(const Node* node, Time today) {
  if (node == nullptr) return std::nullopt;
  try {
    if (node->is_text()) return parse_date(node->text());
    if (node->is(Node::Kind::integer) || node->is(Node::Kind::boolean)) {
      return date_from_integer(as_integer(*node, "date"), today);
    }
  } catch (const UserError& error) {
    throw UserError("`date`: " + error.message(), node->where.text(),
                    node->is_text() && node->text().starts_with("-") ? "days from today are written without quotes"
                                                                     : error.remedy());
  }
  throw UserError("`date` must be a date, not " + node->kind_text(), node->where.text(),
                  "write 2020-01-01T12:00, 20200101, or 0, -1, ... for days from today");
}

std::string parse_device(const Node& node) {
  std::string text = as_text(node, "device");
  const bool indexed = text.starts_with("cuda:") && text.size() > 5 && text.size() < 9 &&
                       std::all_of(text.begin() + 5, text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (text == "cpu" || text == "cuda" || indexed) return text;
  throw UserError("device '" + text + "' is not supported by this build", node.where.text(),
                  "this build has cpu, cuda and cuda:N");
}

Precision parse_precision(const Node& node) {
  const std::string name = as_text(node, "precision");
  if (const auto precision = precision_of(name)) return *precision;
  const auto near = nearest(name, precision_names());
  throw UserError(
      "precision '" + name + "' is not known", node.where.text(),
      (near ? "did you mean '" + *near + "'? " : "") + std::string("it is one of ") + listed(precision_names()));
}

std::optional<std::int64_t> parse_seed(const Node* node, const ConfigDocument& document,
                                       std::vector<std::string>& warnings) {
  const std::optional<std::string>& base = document.base_seed;
  if (node != nullptr) {
    if (base) warnings.push_back(node->where.text() + ": `seed` counts, ANEMOI_BASE_SEED=" + *base + " does not");
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

std::vector<std::string> parse_categories(const Node& node) {
  std::vector<std::string> categories;
  for (const Node& item : as_list(node, "initial_state_categories").items) {
    categories.push_back(as_choice(item, "initial_state_categories." + std::to_string(categories.size()),
                                   {"prognostics", "constant_forcings", "dynamic_forcings"}));
  }
  return categories;
}

Json parse_predict_kwargs(const Node& node, std::vector<std::string>& warnings) {
  Json kwargs = as_map(node, "predict_kwargs").to_json();
  for (const char* own : {"fcstep", "step", "date", "model_comm_group"}) {
    if (kwargs.erase(own) == 0) continue;
    warnings.push_back(node.entry(own)->where.text() + ": `predict_kwargs." + own +
                       "` is set by the run itself and left out");
  }
  return kwargs;
}

Json parse_typed_variables(const Node& node) {
  for (const Node::Entry& entry : as_map(node, "typed_variables").entries) {
    as_map(entry.value, "typed_variables." + entry.key);
  }
  return node.to_json();
}

std::map<std::string, std::string> parse_env(const Node& node) {
  std::map<std::string, std::string> env;
  for (const Node::Entry& entry : as_map(node, "env").entries) {
    const std::string key = "env." + entry.key;
    if (entry.key.empty() || entry.key.find('=') != std::string::npos) {
      throw UserError("'" + entry.key + "' is no name of an environment variable", entry.where.text());
    }
    if (entry.value.is(Node::Kind::null) || entry.value.is_container()) as_text(entry.value, key);
    env[entry.key] = entry.value.is_text() ? entry.value.text() : std::to_string(as_integer(entry.value, key));
  }
  return env;
}

// Keys that are part of the table but have no effect here.
void parse_idle(const MapReader& reader, std::vector<std::string>& warnings) {
  if (const Node* hacks = reader.find("development_hacks")) {
    if (!as_map(*hacks, "development_hacks").entries.empty()) {
      warnings.push_back(reader.where("development_hacks").text() + ": `development_hacks` has no effect");
    }
  }
  if (const Node* info = reader.find("debugging_info")) as_map(*info, "debugging_info");
  if (const Node* size = reader.find("preload_buffer_size")) as_integer(*size, "preload_buffer_size");
}

void refuse_unbuilt(const MapReader& reader) {
  if (const Node* node = reader.find("use_profiler")) {
    if (as_boolean(*node, "use_profiler")) {
      throw UserError("`use_profiler` is not supported by this build", reader.where("use_profiler").text(),
                      "leave it out; `--report FILE` gives the times of each part");
    }
  }
  if (const Node* node = reader.find("pre_processors")) refuse_pre_processors(*node, "pre_processors");
  if (const Node* node = reader.find("mid_processors")) {
    if (!as_list(*node, "mid_processors").items.empty()) {
      throw UserError("`mid_processors` are not supported by this build", reader.where("mid_processors").text(),
                      "leave them out");
    }
  }
  if (const Node* node = reader.find_set("check_variables_compatibility")) {
    as_map(*node, "check_variables_compatibility");
    reader.unsupported("check_variables_compatibility", "leave it out");
  }
  reader.unsupported("trace_path", "leave it out");
}

}  // namespace

RunConfig parse_run_config(const ConfigDocument& document, std::vector<std::string>& warnings) {
  RunConfig config;
  const MapReader reader(document.root, "", top_level_keys());
  config.checkpoint = parse_checkpoint(reader, document);

  const Node* runner = reader.find("runner");
  const Node* world_size = reader.find_set("world_size");
  const Node* cluster = reader.find_set("cluster");
  config.runner = parse_runner(runner == nullptr ? Node::of("auto", document.root.where) : *runner, world_size, cluster,
                               document.plugins);

  config.date = parse_run_date(reader.find_set("date"), document.today);
  if (const Node* node = reader.find("lead_time")) config.lead_time = parse_lead_time(*node);
  if (const Node* node = reader.find_set("description")) config.description = as_text(*node, "description");
  if (const Node* node = reader.find_set("name")) config.name = as_text(*node, "name");
  if (const Node* node = reader.find("verbosity")) {
    config.verbosity = static_cast<int>(std::clamp<std::int64_t>(as_integer(*node, "verbosity"), 0, 3));
  }
  if (const Node* node = reader.find_set("device")) config.device = parse_device(*node);
  if (const Node* node = reader.find_set("precision")) config.precision = parse_precision(*node);
  config.seed = parse_seed(reader.find_set("seed"), document, warnings);
  if (const Node* node = reader.find_set("allow_nans")) config.allow_nans = as_boolean(*node, "allow_nans");
  if (const Node* node = reader.find("use_grib_paramid")) {
    config.use_grib_paramid = as_boolean(*node, "use_grib_paramid");
  }
  if (const Node* node = reader.find("write_initial_state")) {
    config.write_initial_state = as_boolean(*node, "write_initial_state");
  }
  if (const Node* node = reader.find("initial_state_categories")) {
    config.initial_state_categories = parse_categories(*node);
  }
  if (const Node* node = reader.find_set("output_frequency")) config.output_frequency = parse_frequency(*node);
  if (const Node* node = reader.find("predict_kwargs")) config.predict_kwargs = parse_predict_kwargs(*node, warnings);
  if (const Node* node = reader.find("typed_variables")) config.typed_variables = parse_typed_variables(*node);
  if (const Node* node = reader.find("patch_metadata")) {
    config.patch_metadata = as_map(*node, "patch_metadata").to_json();
  }
  if (const Node* node = reader.find("env")) config.env = parse_env(*node);
  if (const Node* node = reader.find("preload_checkpoint")) {
    config.preload_checkpoint = as_boolean(*node, "preload_checkpoint");
  }
  if (const Node* node = reader.find("post_processors")) {
    config.post_processors = parse_post_processors(*node, "post_processors");
  }
  refuse_unbuilt(reader);
  parse_idle(reader, warnings);

  const Node* input = reader.find("input");
  const Node* constant_forcings = reader.find_set("constant_forcings");
  const Node* dynamic_forcings = reader.find_set("dynamic_forcings");
  const Node* output = reader.find("output");
  const Node default_input = Node::of("test", {document.name, 0, 0});
  config.input = parse_input(input == nullptr ? default_input : *input, "input", config.dataset);
  if (constant_forcings != nullptr) {
    config.constant_forcings = parse_input(*constant_forcings, "constant_forcings", config.dataset);
  }
  if (dynamic_forcings != nullptr) {
    config.dynamic_forcings = parse_input(*dynamic_forcings, "dynamic_forcings", config.dataset);
  }
  const Node default_output = Node::of("printer", document.root.where);
  config.output = parse_output(output == nullptr ? default_output : *output, "output", config.dataset, warnings);
  return config;
}

}  // namespace tradewind::config
