// A configuration value that remembers where it was written, so that every complaint can name file, line and column.
// Plain values; copies are deep; const use is thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::config {

using Json = nlohmann::ordered_json;

// Of a long text its beginning, for messages.
std::string clipped(const std::string& text);
std::string quoted(const std::string& key);  // in backticks, clipped

struct Location {
  std::string source;        // file name, or "override 'key=value'"
  int line = 0;              // from 1; 0: the source as a whole
  int column = 0;            // from 1
  std::string text() const;  // file:line:column
};

// Where something stands, for complaints that need the checkpoint to be made. No part of what it means: all are equal.
struct Origin {
  std::string key;    // dotted
  std::string where;  // file:line:column
  bool operator==(const Origin&) const { return true; }
};

struct Node {
  enum class Kind { null, boolean, integer, real, text, list, map };
  struct Entry;

  Kind kind = Kind::null;
  Json scalar;                 // of boolean, integer, real and text
  std::vector<Node> items;     // of list
  std::vector<Entry> entries;  // of map, in order, keys unique
  Location where;
  bool failed = false;  // what it should be could not be found out, which has been said

  static Node of(Json scalar, Location where);  // null, boolean, number or text
  static Node map(Location where);
  static Node list(Location where);

  bool is(Kind other) const { return kind == other; }
  bool is_null() const { return kind == Kind::null; }
  bool is_text() const { return kind == Kind::text; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  bool is_container() const { return is_list() || is_map(); }
  const std::string& text() const { return scalar.get_ref<const std::string&>(); }

  const Entry* entry(std::string_view key) const;  // nullptr when absent or not a map
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  // Replaces the value in place, or appends.
  Node& set(const std::string& key, const Location& key_where, Node value);
  void remove(std::string_view key);

  std::string kind_text() const;  // "the integer 16", "the text 'a'", "a list": for messages
  std::string shown() const;      // a scalar as Python's str() shows it; containers as JSON
  Json to_json() const;           // the bare value
};

struct Node::Entry {
  std::string key;
  Location where;  // of the key
  Node value;
};

}  // namespace tradewind::config
