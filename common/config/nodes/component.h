// The shape of everything that can be plugged in: `name`, `{name: main}`, `{name: {key: value}}`, `{name:
// [positional]}` or `{_type: name, key: value}`; `_` and `-` are alike in names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/nodes/node.h"

namespace tradewind::config {

struct Component {
  std::string name;  // as written
  Location where;    // of the name
  std::string key;   // path for messages, such as output.grib
  Node argument;     // null (none given), a scalar (the main argument), a list (positional) or a map (by key)

  bool is(const std::string& other) const;  // `_` and `-` alike
  // The argument as a map: a scalar becomes {main: scalar}; `main` empty: there is no main argument.
  Node options(const std::string& main) const;
};

// Not a name or a map of one name: UserError. `key` is the path of `node`.
Component as_component(const Node& node, const std::string& key);

struct Kinds {
  std::string what;                             // "input"
  std::vector<std::string> supported;           // by this build
  std::vector<std::string> elsewhere;           // known to the reference only
  std::map<std::string, std::string> ways_out;  // of those, where there is more to say than which are supported
};
bool same_name(const std::string& a, const std::string& b);
bool holds(const std::vector<std::string>& names, const std::string& name);
// Refuses a component by name: one of `elsewhere` as not supported, any other as unknown.
[[noreturn]] void refuse(const Component& component, const Kinds& kinds);
// What a key holds for datasets by their names, where it does not name one of `kinds` at once; else nothing: it is for
// all datasets.
std::vector<Node::Entry> parts_by_dataset(const Node& node, const Kinds& kinds);

}  // namespace tradewind::config
