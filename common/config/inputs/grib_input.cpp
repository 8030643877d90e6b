#include "common/config/inputs/grib_input.h"

#include "common/config/inputs/inputs.h"
#include "common/config/nodes/path_text.h"
#include "common/config/nodes/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

NamerRule parse_rule(const Node& rule, const std::string& key) {
  if (!rule.is_list() || rule.items.size() != 2) {
    throw UserError(quoted(key) + " must be a list of two: what to match and the name", rule.where.text(),
                    "write [{shortName: t, level: 850}, 't_{level}']");
  }
  NamerRule one;
  for (const Node::Entry& entry : as_map(rule.items[0], key + ".0").entries) {
    one.match.emplace_back(entry.key, entry.value.shown());
  }
  one.name = as_text(rule.items[1], key + ".1");
  return one;
}

std::vector<NamerRule> parse_namer(const Node& node, const std::string& key, Findings& findings) {
  const MapReader reader(as_map(node, key), key, {"rules"}, findings);
  const Node* rules = reader.find("rules");
  if (rules == nullptr) {
    if (reader.meant("rules")) return {};
    throw UserError("`" + key + ".rules` is missing", node.where.text(),
                    "write rules: [[{shortName: t, level: 850}, 't_{level}'], ...]");
  }
  std::vector<NamerRule> parsed;
  std::size_t index = 0;
  for (const Node& rule : as_list(*rules, key + ".rules").items) {
    const std::string rule_key = key + ".rules." + std::to_string(index++);
    findings.attempt([&] { parsed.push_back(parse_rule(rule, rule_key)); });
  }
  return parsed;
}

}  // namespace

GribInputConfig GribInputConfig::parse(const Component& component, Findings& findings) {
  const MapReader reader(component.options("path"), component.key,
                         {"path", "namer", "pre_processors", "variables", "purpose"}, findings);
  GribInputConfig config;
  reader.need("path", component.where, "write grib: FILE, a folder or a pattern",
              [&](const Node& node, const std::string& key) {
                config.path = as_path(node, key);
                config.path_at = {key, node.where.text()};
              });
  reader.take_set("namer",
                  [&](const Node& node, const std::string& key) { config.namer = parse_namer(node, key, findings); });
  reader.take_set("pre_processors", [&](const Node& node, const std::string& key) {
    config.pre_processors = parse_pre_processors(node, key, findings);
  });
  refuse_common(reader);
  return config;
}

void GribInputConfig::uses(Uses& uses) const {
  uses.paths.push_back({.names = PathUse::Names::sources, .path = path, .role = "the input", .at = path_at});
  for (const PreProcessor& filter : pre_processors) filter.uses(uses);
}

}  // namespace tradewind::config
