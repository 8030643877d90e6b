#include "common/config/outputs/output_common.h"

#include "common/errors.h"

namespace tradewind::config {
namespace {

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

}  // namespace

std::vector<std::string> with_common_keys(std::vector<std::string> own) {
  for (const char* key : {"variables", "output_frequency", "write_initial_state", "post_processors"})
    own.emplace_back(key);
  return own;
}

OutputCommon parse_common(const MapReader& reader, Findings& findings) {
  OutputCommon common;
  reader.take_set("variables", [&](const Node& node, const std::string& key) {
    common.variables = parse_variables(node, key, findings);
  });
  reader.take_set("output_frequency", [&](const Node& node, const std::string& key) {
    const Duration frequency = as_duration(node, key);
    if (frequency.count() <= 0) {
      throw UserError(quoted(key) + " must be longer than nothing", node.where.text(), "write for example 6h");
    }
    common.output_frequency = frequency;
    common.output_frequency_at = {key, node.where.text()};
  });
  reader.take_set("write_initial_state", [&](const Node& node, const std::string& key) {
    common.write_initial_state = as_boolean(node, key);
  });
  reader.take_set("post_processors", [&](const Node& node, const std::string& key) {
    common.post_processors = parse_post_processors(node, key, findings);
  });
  return common;
}

std::vector<FilterConfig> parse_common_filters(const MapReader& reader, const std::string& why, Findings& findings) {
  std::vector<FilterConfig> filters = parse_common(reader, findings).post_processors;
  for (const char* name : {"variables", "output_frequency", "write_initial_state"}) {
    if (reader.find_set(name) != nullptr)
      findings.warn(reader.where(name), quoted(reader.path(name)) + " has no effect: " + why);
  }
  return filters;
}

void add_uses(const OutputCommon& common, Uses& uses) {
  for (const FilterConfig& filter : common.post_processors) filter.uses(uses);
}

}  // namespace tradewind::config
