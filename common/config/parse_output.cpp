#include <limits>

#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& kinds() {
  static const Kinds outputs{
      "output", {"grib", "printer", "none", "parallel"}, {"netcdf", "plot", "raw", "tee", "truth", "zarr"}};
  return outputs;
}

VariablePattern parse_pattern(const Node& node, const std::string& key) {
  VariablePattern pattern;
  if (node.is_text()) {
    pattern.glob = node.text();
    return pattern;
  }
  if (!node.is_map()) {
    throw UserError("`" + key + "` must be a name, a pattern or a map of MARS keys, not " + node.kind_text(),
                    node.where.text(), "write 2t, 't_*' or {levtype: pl}");
  }
  for (const Node::Entry& entry : node.entries) {
    std::vector<std::string>& values = pattern.mars[entry.key];
    if (entry.value.is_list()) {
      for (const Node& value : entry.value.items) values.push_back(value.shown());
    } else {
      values.push_back(entry.value.shown());
    }
  }
  return pattern;
}

std::vector<VariablePattern> parse_patterns(const Node& node, const std::string& key,
                                            std::vector<std::string>& warnings) {
  std::vector<VariablePattern> patterns;
  const auto add = [&](const Node& item, const std::string& item_key) {
    if (item.is_map() && item.entries.empty()) {
      warnings.push_back(item.where.text() + ": an empty map in `" + key + "` would match everything and is left out");
    } else {
      patterns.push_back(parse_pattern(item, item_key));
    }
  };
  if (!node.is_list()) {
    add(node, key);
    return patterns;
  }
  std::size_t index = 0;
  for (const Node& item : node.items) add(item, key + "." + std::to_string(index++));
  return patterns;
}

std::optional<VariableSelection> parse_variables(const Node* node, const std::string& key,
                                                 std::vector<std::string>& warnings) {
  if (node == nullptr) return std::nullopt;
  VariableSelection selection;
  if (!node->is_map()) {
    selection.patterns = parse_patterns(*node, key, warnings);
    return selection;
  }
  const MapReader reader(*node, key, {"select", "drop"});
  const Node* select = reader.find_set("select");
  const Node* drop = reader.find_set("drop");
  if (select != nullptr && drop != nullptr) {
    throw UserError("`" + key + "` has both select and drop", reader.where("drop").text(), "keep one of them");
  }
  if (select == nullptr && drop == nullptr) return std::nullopt;
  selection.drop = drop != nullptr;
  selection.patterns = selection.drop ? parse_patterns(*drop, reader.path("drop"), warnings)
                                      : parse_patterns(*select, reader.path("select"), warnings);
  return selection;
}

OutputCommon parse_common(const MapReader& reader, std::vector<std::string>& warnings) {
  OutputCommon common;
  common.variables = parse_variables(reader.find_set("variables"), reader.path("variables"), warnings);
  if (const Node* frequency = reader.find_set("output_frequency")) {
    common.output_frequency = as_duration(*frequency, reader.path("output_frequency"));
    if (common.output_frequency->count() <= 0) {
      throw UserError("`" + reader.path("output_frequency") + "` must be longer than nothing", frequency->where.text(),
                      "write for example 6h");
    }
  }
  if (const Node* initial = reader.find_set("write_initial_state")) {
    common.write_initial_state = as_boolean(*initial, reader.path("write_initial_state"));
  }
  reader.unsupported("post_processors", "put them into the top-level `post_processors`");
  return common;
}

// Maps below a map: param -> GRIB keys.
Json parse_keys_by_param(const Node& node, const std::string& key) {
  for (const Node::Entry& entry : as_map(node, key).entries) as_map(entry.value, key + "." + entry.key);
  return node.to_json();
}

GribOutputConfig parse_grib(const Component& component, std::vector<std::string>& warnings) {
  const MapReader reader(component.options("path"), component.key,
                         {"path", "encoding", "templates", "grib1_keys", "grib2_keys", "check_encoding", "split_output",
                          "negative_step_mode", "missing_value", "modifiers", "archive_requests", "variables",
                          "output_frequency", "write_initial_state", "post_processors"});
  GribOutputConfig config;
  const Node* path = reader.find_set("path");
  if (path == nullptr) {
    throw UserError("`" + reader.path("path") + "` is missing", component.where.text(), "write grib: FILE");
  }
  config.path = as_text(*path, reader.path("path"));
  config.common = parse_common(reader, warnings);
  if (const Node* encoding = reader.find_set("encoding")) {
    config.encoding = as_map(*encoding, reader.path("encoding")).to_json();
  }
  if (const Node* templates = reader.find_set("templates")) {
    config.templates = parse_templates(*templates, reader.path("templates"));
  }
  if (const Node* keys = reader.find_set("grib1_keys")) {
    config.grib1_keys = parse_keys_by_param(*keys, reader.path("grib1_keys"));
  }
  if (const Node* keys = reader.find_set("grib2_keys")) {
    config.grib2_keys = parse_keys_by_param(*keys, reader.path("grib2_keys"));
  }
  if (const Node* check = reader.find_set("check_encoding")) {
    config.check_encoding = as_boolean(*check, reader.path("check_encoding"));
  }
  if (const Node* split = reader.find_set("split_output")) {
    config.split_output = as_boolean(*split, reader.path("split_output"));
  }
  if (const Node* mode = reader.find_set("negative_step_mode")) {
    config.negative_step_mode = as_choice(*mode, reader.path("negative_step_mode"), {"error", "write", "skip"});
  }
  if (const Node* missing = reader.find_set("missing_value")) {
    config.missing_value = as_number(*missing, reader.path("missing_value"));
  }
  reader.unsupported("modifiers", "set the keys in `encoding`, `grib1_keys` or `grib2_keys`");
  reader.unsupported("archive_requests", "leave it out; the archive requests can be made from the file");
  return config;
}

PrinterOutputConfig parse_printer(const Component& component, std::vector<std::string>& warnings) {
  Node options = component.options("");
  PrinterOutputConfig config;
  const Node* variables = options.find("variables");
  const bool all = variables != nullptr && variables->is_text() && variables->text() == "all";
  if (all) options.set("variables", variables->where, Node::of(nullptr, variables->where));
  const MapReader reader(
      options, component.key,
      {"path", "max_lines", "variables", "output_frequency", "write_initial_state", "post_processors"});
  config.common = parse_common(reader, warnings);
  if (const Node* path = reader.find_set("path")) config.path = as_text(*path, reader.path("path"));
  if (const Node* lines = reader.find_set("max_lines")) {
    config.max_lines = static_cast<int>(as_integer(*lines, reader.path("max_lines")));
  }
  if (all) config.max_lines = -1;
  return config;
}

int positive(const Node& node, const std::string& key) {
  const std::int64_t value = as_integer(node, key);
  if (value >= 1 && value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
  throw UserError("`" + key + "` is " + std::to_string(value) + ", it must be 1 or more", node.where.text(),
                  "write a whole number from 1 on");
}

// Which chunks of the fields go to which file.
void parse_chunks(const Node& node, const std::string& key, ParallelWriters& writers) {
  const Component strategy = as_component(node, key);
  if (strategy.is("by_worker")) {
    const MapReader none(strategy.options(""), strategy.key, {});
  } else if (strategy.is("by_size")) {
    const MapReader reader(strategy.options(""), strategy.key, {"fields_per_chunk"});
    const Node* size = reader.find_set("fields_per_chunk");
    if (size == nullptr) {
      throw UserError("`" + reader.path("fields_per_chunk") + "` is missing", strategy.where.text(),
                      "write by_size: {fields_per_chunk: 10}");
    }
    writers.fields_per_chunk = positive(*size, reader.path("fields_per_chunk"));
  } else {
    refuse(strategy, {"chunk strategy", {"by_worker", "by_size"}, {"by_metadata"}});
  }
}

// The inner output stands below `output`, or directly beside num_writers.
GribOutputConfig parse_parallel(const Component& component, std::vector<std::string>& warnings) {
  const Node options = component.options("");
  Node inner = options;
  for (const char* own : {"num_writers", "chunk_strategy", "output"}) inner.remove(own);
  std::string key = component.key;
  if (const Node* given = options.find("output"); given != nullptr && !given->is_null()) {
    const MapReader no_others(options, component.key, {"num_writers", "chunk_strategy", "output"});
    inner = *given;
    key += ".output";
  } else if (inner.entries.empty()) {
    throw UserError("`" + component.key + ".output` is missing", component.where.text(),
                    "write parallel: {num_writers: 2, output: {grib: FILE}}");
  }
  const Component output = as_component(inner, key);
  if (!output.is("grib")) refuse(output, {"output in `" + component.key + "`", {"grib"}, kinds().supported});
  GribOutputConfig config = parse_grib(output, warnings);
  config.writers.emplace();
  if (const Node* count = options.find("num_writers"); count != nullptr && !count->is_null()) {
    config.writers->count = positive(*count, component.key + ".num_writers");
  }
  if (const Node* chunks = options.find("chunk_strategy"); chunks != nullptr && !chunks->is_null()) {
    parse_chunks(*chunks, component.key + ".chunk_strategy", *config.writers);
  }
  return config;
}

}  // namespace

OutputConfig parse_output(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                          std::vector<std::string>& warnings) {
  const Component component = as_component(of_dataset(node, key, kinds(), dataset), key);
  if (component.is("grib")) return parse_grib(component, warnings);
  if (component.is("parallel")) return parse_parallel(component, warnings);
  if (component.is("printer")) return parse_printer(component, warnings);
  if (!component.is("none")) refuse(component, kinds());
  const MapReader reader(component.options(""), component.key,
                         {"variables", "output_frequency", "write_initial_state", "post_processors"});
  parse_common(reader, warnings);
  return NoOutputConfig{};
}

}  // namespace tradewind::config
