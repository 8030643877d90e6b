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

#include "common/config/nodes/findings.h"
#include "common/config/nodes/node.h"
#include "common/dates.h"

namespace tradewind::config {

// `key` is the dotted path shown to the user, such as output.grib.path.
std::string as_text(const Node& node, const std::string& key);
bool as_boolean(const Node& node, const std::string& key);
std::int64_t as_integer(const Node& node, const std::string& key);
int positive(const Node& node, const std::string& key, int most);  // an integer from 1 to `most`
double as_number(const Node& node, const std::string& key);
const Node& as_list(const Node& node, const std::string& key);
const Node& as_map(const Node& node, const std::string& key);
std::vector<std::string> as_texts(const Node& node, const std::string& key);  // a list of texts
std::vector<std::string> as_text_or_texts(const Node& node, const std::string& key);
std::string as_choice(const Node& node, const std::string& key, std::initializer_list<const char*> choices);
Duration as_duration(const Node& node, const std::string& key);  // text or whole hours
Time as_date(const Node& node, const std::string& key);          // text

std::string listed(const std::vector<std::string>& names);  // "a, b, c"

// The keys of one map, none but the known ones: another is refused with the nearest known one. What one key's value has
// wrong is noted in `findings`, and the other keys are read all the same.
class MapReader {
 public:
  // `node` is a map; `key` is its path, empty for the document's root. What find() gives, and `findings`, live as long
  // as the reader.
  MapReader(Node node, std::string key, const std::vector<std::string>& known, Findings& findings);
  const Node* find(const std::string& name) const;       // nullptr when absent, or when its text could not be resolved
  const Node* find_set(const std::string& name) const;   // nullptr when null, too
  std::string path(const std::string& name) const;       // dotted
  const Location& where(const std::string& name) const;  // of the key
  // Written, if only in a misspelt way or unusably: then nothing is said of it being missing.
  bool meant(const std::string& name) const;

  // take(node, path) when the key is given.
  template <typename Take>
  void take(const std::string& name, Take&& take) const {
    if (const Node* node = find(name)) findings_.attempt([&] { take(*node, path(name)); });
  }
  // take(node, path) when the key is given and not null.
  template <typename Take>
  void take_set(const std::string& name, Take&& take) const {
    if (const Node* node = find_set(name)) findings_.attempt([&] { take(*node, path(name)); });
  }
  // As take_set(), and refuses when there is nothing: then `where` is the place.
  template <typename Take>
  void need(const std::string& name, const Location& where, const std::string& remedy, Take&& take) const {
    if (find_set(name) != nullptr)
      take_set(name, std::forward<Take>(take));
    else
      missing(name, where, remedy);
  }
  // Known to the reference but not built here: refused when given, unless null, false or empty.
  void unsupported(const std::string& name, const std::string& remedy) const;
  Findings& findings() const { return findings_; }

 private:
  void missing(const std::string& name, const Location& where, const std::string& remedy) const;

  Node node_;
  std::string key_;
  std::vector<std::string> guessed_;  // known keys for which a misspelt one was taken
  Findings& findings_;
};

}  // namespace tradewind::config
