#include "common/config/merge.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/config/nodes/yaml_load.h"
#include "common/errors.h"

namespace tradewind::config {
namespace {

constexpr std::size_t kMostDepth = 100;  // as in a file

// "a.b[0].c" -> a, b, 0, c.
std::vector<std::string> split_key(const std::string& key) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (c == ']' && (i + 1 == key.size() || key[i + 1] == '.' || key[i + 1] == '[')) continue;
    if (c == '.' || (c == '[' && i > 0)) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string joined(const std::vector<std::string>& keys, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ".") + keys[i];
  return text;
}

// keys[from...] as nested maps: "{b: {c: value}}".
std::string braced(const std::vector<std::string>& keys, std::size_t from, const std::string& value) {
  std::string text;
  for (std::size_t i = from; i < keys.size(); ++i) text += "{" + keys[i] + ": ";
  return text + value + std::string(keys.size() - from, '}');
}

std::optional<std::size_t> index_of(const std::string& key) {
  if (key.empty() || key.size() > 9) return std::nullopt;
  if (!std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) return std::nullopt;
  return std::stoul(key);
}

// The value inside the maps of keys[from...].
Node wrapped(const std::vector<std::string>& keys, std::size_t from, Node value, const Location& where) {
  for (std::size_t i = keys.size(); i > from; --i) {
    Node map = Node::map(where);
    map.set(keys[i - 1], where, std::move(value));
    value = std::move(map);
  }
  return value;
}

bool is_there(const std::string& path) {
  std::error_code code;
  return !path.empty() && std::filesystem::exists(path, code);
}

Node override_value(const std::string& text, const Location& where, Findings& findings) {
  std::optional<Node> value;
  try {
    value = load_yaml_value(text, where);
  } catch (const UserError&) {
    if (!is_there(text)) throw;
    return Node::of(text, where);
  }
  if (value->is_text() && value->text() == text) return *std::move(value);
  const std::size_t hash = text.starts_with("#") ? 0 : text.find(" #");
  const bool comment = hash != std::string::npos && !value->is_container() &&
                       !(value->is_text() && value->text().find('#') != std::string::npos);
  if ((comment || value->is_container() || value->is_text()) && is_there(text)) return Node::of(text, where);
  if (comment)
    findings.warn(where,
                  "what stands from `#` on is a comment in YAML and left out; put the value in quotes to keep it");
  return *std::move(value);
}

void assign(Node& target, Node value) {
  if (target.is_map() && value.is_map() && !value.entries.empty()) {
    merge_over(target, value);
  } else {
    target = std::move(value);
  }
}

}  // namespace

void merge_over(Node& base, const Node& over) {
  if (base.is_map() && over.is_map()) {
    std::unordered_map<std::string_view, std::size_t> positions;  // of base's own: `over` has no key twice
    for (std::size_t i = 0; i < base.entries.size(); ++i) positions.emplace(base.entries[i].key, i);
    std::vector<const Node::Entry*> others;
    for (const Node::Entry& entry : over.entries) {
      const auto present = positions.find(entry.key);
      if (present == positions.end()) {
        others.push_back(&entry);
        continue;
      }
      Node::Entry& own = base.entries[present->second];
      merge_over(own.value, entry.value);
      own.where = entry.where;
    }
    for (const Node::Entry* entry : others) base.entries.push_back(*entry);
    if (!over.entries.empty()) base.where = over.where;
    return;
  }
  if (base.is_container() && over.is_container() && base.kind != over.kind) {
    throw UserError(over.kind_text() + " cannot be merged with " + base.kind_text() + " at " + base.where.text(),
                    over.where.text(), "give both the same shape");
  }
  base = over;
}

std::string override_place(const std::string& text) { return "override '" + clipped(text) + "'"; }

void apply_override(Node& root, const std::string& text, Findings& findings) {
  const Location where{override_place(text), 0, 0};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    std::error_code code;
    throw UserError("this is not key=value", where.text(),
                    std::filesystem::is_regular_file(text, code)
                        ? "the config stands before the overrides: write it first"
                        : "write for example lead_time=6h, or date=null for nothing");
  }
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(equals),
                                             [](char c) { return c == '.' || c == '['; })) >= kMostDepth) {
    throw UserError("the key has more than " + std::to_string(kMostDepth) + " parts", where.text(),
                    "write for example output.grib.path=out.grib");
  }
  const std::vector<std::string> keys = split_key(text.substr(0, equals));
  if (std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return key.empty(); })) {
    throw UserError("a part of the key is empty", where.text(), "write for example output.grib.path=out.grib");
  }
  Node value = override_value(text.substr(equals + 1), where, findings);

  Node* current = &root;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (current->is_null()) *current = Node::map(where);
    if (current->is_map()) {
      Node* next = current->find(keys[i]);
      if (next == nullptr) {
        current->set(keys[i], where, wrapped(keys, i + 1, std::move(value), where));
        return;
      }
      current = next;
    } else if (current->is_list()) {
      const auto index = index_of(keys[i]);
      if (!index) {
        throw UserError("`" + joined(keys, i) + "` is a list, `" + clipped(keys[i]) + "` is no index of it",
                        where.text(), "use a number from 0 to " + std::to_string(current->items.size()));
      }
      if (*index > current->items.size()) {
        throw UserError("index " + keys[i] + " is out of range for `" + joined(keys, i) + "`, a list of " +
                            std::to_string(current->items.size()),
                        where.text(), "use " + std::to_string(current->items.size()) + " to append");
      }
      if (*index == current->items.size()) {
        current->items.push_back(wrapped(keys, i + 1, std::move(value), where));
        return;
      }
      current = &current->items[*index];
    } else {
      const std::string path = joined(keys, i);
      throw UserError(quoted(path) + " is " + current->kind_text() + " (" + current->where.text() +
                          "), nothing can be set inside it",
                      where.text(), "give it whole: " + clipped(path + "=" + braced(keys, i, text.substr(equals + 1))));
    }
  }
  assign(*current, std::move(value));
}

}  // namespace tradewind::config
