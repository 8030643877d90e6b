// Typed access to nodes, as strict and as lenient as the reference's validation: an integer may be written as "5", 5.0
// or true, a boolean as yes or "on", but a text must be a text. Errors: UserError with key, place and remedy.
// Pure functions; a MapReader is used by one thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/node.h"
#include "common/dates.h"

namespace tradewind::config {

// `key` is the dotted path shown to the user, such as output.grib.path.
std::string as_text(const Node& node, const std::string& key);
bool as_boolean(const Node& node, const std::string& key);
std::int64_t as_integer(const Node& node, const std::string& key);
double as_number(const Node& node, const std::string& key);
const Node& as_list(const Node& node, const std::string& key);
const Node& as_map(const Node& node, const std::string& key);
std::vector<std::string> as_texts(const Node& node, const std::string& key);  // a list of texts
std::vector<std::string> as_text_or_texts(const Node& node, const std::string& key);
std::string as_choice(const Node& node, const std::string& key, std::initializer_list<const char*> choices);
Duration as_duration(const Node& node, const std::string& key);  // text or whole hours

// The name nearest to `word` in number of edits, if near enough to be a slip; `-` and `_` are the same.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& names);
std::string listed(const std::vector<std::string>& names);  // "a, b, c"

// The keys of one map, none but the known ones: another is refused at once, with the nearest known one.
class MapReader {
 public:
  // `node` is a map; `key` is its path, empty for the document's root. What find() gives lives as long as the reader.
  MapReader(Node node, std::string key, const std::vector<std::string>& known);
  const Node* find(const std::string& name) const;       // nullptr when absent
  const Node* find_set(const std::string& name) const;   // nullptr when absent or null
  std::string path(const std::string& name) const;       // dotted
  const Location& where(const std::string& name) const;  // of the key
  // Known to the reference but not built here: refused when given, unless null, false or empty.
  void unsupported(const std::string& name, const std::string& remedy) const;

 private:
  Node node_;
  std::string key_;
};

}  // namespace tradewind::config
