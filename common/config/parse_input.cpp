#include <algorithm>

#include "common/config/parse.h"
#include "common/config/reader.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

const Kinds& kinds() {
  static const Kinds inputs{"input",
                            {"grib", "dummy", "empty"},
                            {"cds", "cutout", "dataset", "test", "validation", "training", "fdb", "mars", "netcdf",
                             "opendap", "repeated-dates", "split"}};
  return inputs;
}

std::string hint(const Component& component) {
  for (const char* dataset : {"test", "training", "validation", "dataset"}) {
    if (component.is(dataset)) return "it needs anemoi-datasets; write `input: {grib: FILE}`";
  }
  if (component.is("mars")) return "retrieve the fields first, then write `input: {grib: FILE}`";
  return {};
}

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

GribInputConfig parse_grib(const Component& component, Findings& findings) {
  const MapReader reader(component.options("path"), component.key,
                         {"path", "namer", "pre_processors", "variables", "purpose"}, findings);
  GribInputConfig config;
  reader.need("path", component.where, "write grib: FILE, a folder or a pattern",
              [&](const Node& node, const std::string& key) { config.path = as_text(node, key); });
  reader.take_set("namer",
                  [&](const Node& node, const std::string& key) { config.namer = parse_namer(node, key, findings); });
  reader.take_set("pre_processors",
                  [&](const Node& node, const std::string& key) { refuse_pre_processors(node, key, findings); });
  reader.unsupported("variables", "leave it out: the checkpoint says which variables are read");
  reader.unsupported("purpose", "leave it out");
  return config;
}

}  // namespace

const Node& of_dataset(const Node& node, const std::string& key, const Kinds& kinds,
                       std::optional<std::string>& dataset) {
  if (!node.is_map() || node.entries.empty() || node.find("_type") != nullptr) return node;
  const auto is_kind = [&](const std::string& name) {
    return holds(kinds.supported, name) || holds(kinds.elsewhere, name);
  };
  const auto names_kind = [&](const Node::Entry& entry) {
    if (is_kind(entry.key)) return false;
    if (entry.value.is_text()) return is_kind(entry.value.text());
    return entry.value.is_map() && std::any_of(entry.value.entries.begin(), entry.value.entries.end(),
                                               [&](const Node::Entry& inner) { return is_kind(inner.key); });
  };
  if (!std::all_of(node.entries.begin(), node.entries.end(), names_kind)) return node;
  if (node.entries.size() > 1) {
    throw UserError(quoted(key) + " names several datasets, which this build does not support",
                    node.entries[1].where.text(), "give one; for several use anemoi-inference");
  }
  const Node::Entry& only = node.entries.front();
  if (dataset && *dataset != only.key) {
    throw UserError(quoted(key) + " is for the dataset '" + only.key + "', another key is for '" + *dataset + "'",
                    only.where.text(), "use the same name, or leave it out");
  }
  dataset = only.key;
  return only.value;
}

InputConfig parse_input(const Node& node, const std::string& key, std::optional<std::string>& dataset,
                        Findings& findings) {
  const Component component = as_component(of_dataset(node, key, kinds(), dataset), key);
  if (component.is("grib")) return parse_grib(component, findings);
  const bool dummy = component.is("dummy");
  if (!dummy && !component.is("empty")) refuse(component, kinds(), hint(component));
  const MapReader no_options(component.options(""), component.key, {}, findings);
  if (dummy) return DummyInputConfig{};
  return EmptyInputConfig{};
}

}  // namespace tradewind::config
