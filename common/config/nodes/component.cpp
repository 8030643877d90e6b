#include "common/config/nodes/component.h"

#include <algorithm>

#include "common/config/nodes/reader.h"
#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::config {

bool same_name(const std::string& a, const std::string& b) {
  const auto fold = [](char c) { return c == '-' ? '_' : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return fold(x) == fold(y); });
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same_name(n, name); });
}

bool Component::is(const std::string& other) const { return same_name(name, other); }

Node Component::options(const std::string& main) const {
  if (argument.is_map()) return argument;
  Node map = Node::map(where);
  if (argument.is_null()) return map;
  if (argument.is_list() || main.empty()) {
    throw UserError(
        quoted(key) + " takes " + (main.empty() ? "no value" : "options by name") + ", not " + argument.kind_text(),
        argument.where.text(), main.empty() ? "write " + name + " alone" : "write {" + name + ": {key: value}}");
  }
  map.set(main, where, argument);
  return map;
}

Component as_component(const Node& node, const std::string& key) {
  if (node.is_text()) return {node.text(), node.where, key + "." + node.text(), Node::of(nullptr, node.where)};
  if (!node.is_map()) {
    throw UserError(quoted(key) + " must be a name or a map of one name, not " + node.kind_text(), node.where.text(),
                    "write name or {name: {option: value}}");
  }
  if (const Node::Entry* type = node.entry("_type")) {
    Component component{as_text(type->value, key + "._type"), type->value.where, {}, node};
    component.argument.remove("_type");
    component.key = key + "." + component.name;
    return component;
  }
  if (node.entries.size() != 1) {
    std::vector<std::string> names;
    for (const Node::Entry& entry : node.entries) names.push_back(entry.key);
    throw UserError(quoted(key) + " names " + (names.empty() ? "nothing" : "more than one thing: " + listed(names)),
                    (names.empty() ? node.where : node.entries[1].where).text(),
                    "give one name with its options below it: {name: {option: value}}");
  }
  const Node::Entry& entry = node.entries.front();
  return {entry.key, entry.where, key + "." + entry.key, entry.value};
}

void refuse(const Component& component, const Kinds& kinds) {
  const std::string supported = "this build has " + listed(kinds.supported);
  if (holds(kinds.elsewhere, component.name)) {
    std::string remedy = supported + "; for others use anemoi-inference";
    for (const auto& [name, way_out] : kinds.ways_out)
      if (component.is(name)) remedy = way_out + "; " + supported;
    throw UserError(kinds.what + " '" + component.name + "' is not supported by this build", component.where.text(),
                    remedy);
  }
  std::vector<std::string> all = kinds.supported;
  all.insert(all.end(), kinds.elsewhere.begin(), kinds.elsewhere.end());
  throw UserError("unknown " + kinds.what + " '" + clipped(component.name) + "'", component.where.text(),
                  did_you_mean(component.name, all) + supported);
}

// Of several names one that holds something known is enough: what is wrong with the others is said of their own.
std::vector<Node::Entry> parts_by_dataset(const Node& node, const Kinds& kinds) {
  if (!node.is_map() || node.find("_type") != nullptr) return {};
  const auto is_kind = [&](const std::string& name) {
    return holds(kinds.supported, name) || holds(kinds.elsewhere, name);
  };
  const auto names_kind = [&](const Node::Entry& entry) {
    if (entry.value.is_text()) return is_kind(entry.value.text());
    return entry.value.is_map() && std::any_of(entry.value.entries.begin(), entry.value.entries.end(),
                                               [&](const Node::Entry& inner) { return is_kind(inner.key); });
  };
  const auto& entries = node.entries;
  const bool at_once =
      std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return is_kind(entry.key); });
  if (at_once || std::none_of(entries.begin(), entries.end(), names_kind)) return {};
  return entries;
}

}  // namespace tradewind::config
