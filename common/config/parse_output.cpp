#include <limits>

#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();

const Kinds& kinds() {
  static const Kinds outputs{
      "output", {"grib", "printer", "none", "parallel"}, {"netcdf", "plot", "raw", "tee", "truth", "zarr"}};
  return outputs;
}

VariablePattern parse_pattern(const Node& node, const std::string& key) {
  VariablePattern pattern;
  pattern.at = {key, node.where.text()};
  if (node.is_text()) {
    pattern.glob = node.text();
    return pattern;
  }
  if (!node.is_map()) {
    throw UserError(quoted(key) + " must be a name, a pattern or a map of MARS keys, not " + node.kind_text(),
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

std::vector<VariablePattern> parse_patterns(const Node& node, const std::string& key, Findings& findings) {
  std::vector<VariablePattern> patterns;
  const auto add = [&](const Node& item, const std::string& item_key) {
    if (item.is_map() && item.entries.empty()) {
      findings.warn(item.where, "an empty map in " + quoted(key) + " would match everything and is left out");
    } else {
      findings.attempt([&] { patterns.push_back(parse_pattern(item, item_key)); });
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

std::optional<VariableSelection> parse_variables(const Node& node, const std::string& key, Findings& findings) {
  VariableSelection selection;
  selection.at = {key, node.where.text()};
  if (!node.is_map()) {
    selection.patterns = parse_patterns(node, key, findings);
    return selection;
  }
  const MapReader reader(node, key, {"select", "drop"}, findings);
  const Node* select = reader.find_set("select");
  const Node* drop = reader.find_set("drop");
  if (select != nullptr && drop != nullptr) {
    throw UserError(quoted(key) + " has both select and drop", reader.where("drop").text(), "keep one of them");
  }
  if (select == nullptr && drop == nullptr) return std::nullopt;
  selection.drop = drop != nullptr;
  selection.patterns = selection.drop ? parse_patterns(*drop, reader.path("drop"), findings)
                                      : parse_patterns(*select, reader.path("select"), findings);
  return selection;
}

OutputCommon parse_common(const MapReader& reader, Findings& findings) {
  OutputCommon common;
  reader.take_set("variables", [&](const Node& node, const std::string& key) {
    common.variables = parse_variables(node, key, findings);
  });
  reader.take_set("output_frequency", [&](const Node& node, const std::string& key) {
    common.output_frequency = as_duration(node, key);
    common.output_frequency_at = {key, node.where.text()};
    if (common.output_frequency->count() <= 0) {
      throw UserError(quoted(key) + " must be longer than nothing", node.where.text(), "write for example 6h");
    }
  });
  reader.take_set("write_initial_state", [&](const Node& node, const std::string& key) {
    common.write_initial_state = as_boolean(node, key);
  });
  reader.unsupported("post_processors", "put them into the top-level `post_processors`");
  return common;
}

// Maps below a map: param -> GRIB keys.
Json parse_keys_by_param(const Node& node, const std::string& key) {
  for (const Node::Entry& entry : as_map(node, key).entries) as_map(entry.value, key + "." + entry.key);
  return node.to_json();
}

GribOutputConfig parse_grib(const Component& component, Findings& findings) {
  const MapReader reader(component.options("path"), component.key,
                         {"path", "encoding", "templates", "grib1_keys", "grib2_keys", "check_encoding", "split_output",
                          "negative_step_mode", "missing_value", "modifiers", "archive_requests", "variables",
                          "output_frequency", "write_initial_state", "post_processors"},
                         findings);
  GribOutputConfig config;
  const auto boolean = [](bool& to) {
    return [&to](const Node& node, const std::string& key) { to = as_boolean(node, key); };
  };
  const auto keys_by_param = [](Json& to) {
    return [&to](const Node& node, const std::string& key) { to = parse_keys_by_param(node, key); };
  };
  reader.need("path", component.where, "write grib: FILE",
              [&](const Node& node, const std::string& key) { config.path = as_text(node, key); });
  config.common = parse_common(reader, findings);
  reader.take_set("encoding",
                  [&](const Node& node, const std::string& key) { config.encoding = as_map(node, key).to_json(); });
  reader.take_set("templates", [&](const Node& node, const std::string& key) {
    config.templates = parse_templates(node, key, findings);
  });
  reader.take_set("grib1_keys", keys_by_param(config.grib1_keys));
  reader.take_set("grib2_keys", keys_by_param(config.grib2_keys));
  reader.take_set("check_encoding", boolean(config.check_encoding));
  reader.take_set("split_output", boolean(config.split_output));
  reader.take_set("negative_step_mode", [&](const Node& node, const std::string& key) {
    config.negative_step_mode = as_choice(node, key, {"error", "write", "skip"});
  });
  reader.take_set("missing_value",
                  [&](const Node& node, const std::string& key) { config.missing_value = as_number(node, key); });
  reader.unsupported("modifiers", "set the keys in `encoding`, `grib1_keys` or `grib2_keys`");
  reader.unsupported("archive_requests", "leave it out; the archive requests can be made from the file");
  return config;
}

PrinterOutputConfig parse_printer(const Component& component, Findings& findings) {
  Node options = component.options("");
  PrinterOutputConfig config;
  const Node* variables = options.find("variables");
  const bool all = variables != nullptr && variables->is_text() && variables->text() == "all";
  if (all) options.set("variables", variables->where, Node::of(nullptr, variables->where));
  const MapReader reader(
      options, component.key,
      {"path", "max_lines", "variables", "output_frequency", "write_initial_state", "post_processors"}, findings);
  config.common = parse_common(reader, findings);
  reader.take_set("path", [&](const Node& node, const std::string& key) { config.path = as_text(node, key); });
  reader.take_set("max_lines", [&](const Node& node, const std::string& key) {
    const std::int64_t lines = as_integer(node, key);
    if (lines < -1 || lines > kMost) {
      throw UserError(quoted(key) + " is " + std::to_string(lines) + ", it must be 0 or more, or -1 for all",
                      node.where.text(), "write for example 10");
    }
    config.max_lines = static_cast<int>(lines);
  });
  if (all) config.max_lines = -1;
  return config;
}

// Which chunks of the fields go to which file.
void parse_chunks(const Node& node, const std::string& key, ParallelWriters& writers, Findings& findings) {
  const Component strategy = as_component(node, key);
  if (strategy.is("by_worker")) {
    const MapReader none(strategy.options(""), strategy.key, {}, findings);
  } else if (strategy.is("by_size")) {
    const MapReader reader(strategy.options(""), strategy.key, {"fields_per_chunk"}, findings);
    reader.need("fields_per_chunk", strategy.where, "write by_size: {fields_per_chunk: 10}",
                [&](const Node& size, const std::string& size_key) {
                  writers.fields_per_chunk = positive(size, size_key, kMost);
                });
  } else {
    refuse(strategy, {"chunk strategy", {"by_worker", "by_size"}, {"by_metadata"}});
  }
}

// The inner output stands below `output`, or directly beside num_writers.
GribOutputConfig parse_parallel(const Component& component, Findings& findings) {
  const Node options = component.options("");
  Node inner = options;
  for (const char* own : {"num_writers", "chunk_strategy", "output"}) inner.remove(own);
  std::string key = component.key;
  if (const Node* given = options.find("output"); given != nullptr && !given->is_null()) {
    const MapReader no_others(options, component.key, {"num_writers", "chunk_strategy", "output"}, findings);
    inner = *given;
    key += ".output";
  } else if (inner.entries.empty()) {
    throw UserError("`" + component.key + ".output` is missing", component.where.text(),
                    "write parallel: {num_writers: 2, output: {grib: FILE}}");
  }
  GribOutputConfig config;
  findings.attempt([&] {
    const Component output = as_component(inner, key);
    if (!output.is("grib")) refuse(output, {"output in " + quoted(component.key), {"grib"}, kinds().supported});
    config = parse_grib(output, findings);
  });
  config.writers.emplace();
  const auto option = [&](const std::string& name, const auto& take) {
    const Node* node = options.find(name);
    if (node == nullptr || node->is_null()) return;
    findings.attempt([&] { take(*node, component.key + "." + name); });
  };
  option("num_writers",
         [&](const Node& node, const std::string& path) { config.writers->count = positive(node, path, kMost); });
  option("chunk_strategy",
         [&](const Node& node, const std::string& path) { parse_chunks(node, path, *config.writers, findings); });
  return config;
}

// Nothing is written, whatever stands there.
void parse_none(const Component& component, Findings& findings) {
  const MapReader reader(component.options(""), component.key,
                         {"variables", "output_frequency", "write_initial_state", "post_processors"}, findings);
  parse_common(reader, findings);
  for (const char* name : {"variables", "output_frequency", "write_initial_state"}) {
    if (reader.find_set(name) != nullptr)
      findings.warn(reader.where(name), quoted(reader.path(name)) + " has no effect: the output `none` writes nothing");
  }
}

}  // namespace

OutputConfig parse_output(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                          Findings& findings) {
  const Component component = as_component(of_dataset(node, key, kinds(), dataset), key);
  if (component.is("grib")) return parse_grib(component, findings);
  if (component.is("parallel")) return parse_parallel(component, findings);
  if (component.is("printer")) return parse_printer(component, findings);
  if (!component.is("none")) refuse(component, kinds());
  parse_none(component, findings);
  return NoOutputConfig{};
}

}  // namespace tradewind::config
