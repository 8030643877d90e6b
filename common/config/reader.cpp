#include "common/config/reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <numeric>

#include "common/errors.h"

namespace tradewind::config {
namespace {

[[noreturn]] void wrong_type(const Node& node, const std::string& key, const std::string& wanted,
                             const std::string& remedy) {
  throw UserError("`" + key + "` must be " + wanted + ", not " + node.kind_text(), node.where.text(), remedy);
}

bool is_whole(double value) { return std::floor(value) == value && std::abs(value) < 9.0e15; }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// "5", " 5 ", "+5", "5.0", "1_000".
std::optional<std::int64_t> whole_number(std::string text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
  if (text.starts_with("_") || text.ends_with("_")) return std::nullopt;
  std::erase(text, '_');
  if (const auto dot = text.find('.'); dot != std::string::npos && dot > 0) {
    if (text.find_first_not_of('0', dot + 1) != std::string::npos) return std::nullopt;
    text.resize(dot);
  }
  if (text.starts_with("+")) text.erase(0, 1);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string folded(std::string_view word) {
  std::string text = lower(std::string(word));
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({replaced, table[i - 1][j] + 1, table[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

}  // namespace

std::string as_text(const Node& node, const std::string& key) {
  if (node.is_text()) return node.text();
  const bool scalar = !node.is_container() && !node.is_null();
  wrong_type(node, key, "text",
             scalar ? "put it in quotes: " + key.substr(key.rfind('.') + 1) + ": '" + lower(node.shown()) + "'"
                    : "give it a text");
}

bool as_boolean(const Node& node, const std::string& key) {
  if (node.is(Node::Kind::boolean)) return node.scalar.get<bool>();
  if (node.is(Node::Kind::integer) || node.is(Node::Kind::real)) {
    const double value = node.scalar.get<double>();
    if (value == 0 || value == 1) return value == 1;
  }
  if (node.is_text()) {
    const std::string word = lower(node.text());
    for (const char* yes : {"1", "on", "t", "true", "y", "yes"}) {
      if (word == yes) return true;
    }
    for (const char* no : {"0", "off", "f", "false", "n", "no"}) {
      if (word == no) return false;
    }
  }
  wrong_type(node, key, "true or false", "write true or false");
}

std::int64_t as_integer(const Node& node, const std::string& key) {
  if (node.is(Node::Kind::integer)) return node.scalar.get<std::int64_t>();
  if (node.is(Node::Kind::boolean)) return node.scalar.get<bool>() ? 1 : 0;
  if (node.is(Node::Kind::real) && is_whole(node.scalar.get<double>())) return std::llround(node.scalar.get<double>());
  if (node.is_text()) {
    if (const auto value = whole_number(node.text())) return *value;
  }
  wrong_type(node, key, "an integer", "write a whole number");
}

double as_number(const Node& node, const std::string& key) {
  if (node.is(Node::Kind::integer) || node.is(Node::Kind::real)) return node.scalar.get<double>();
  wrong_type(node, key, "a number", "write a number without quotes");
}

const Node& as_list(const Node& node, const std::string& key) {
  if (!node.is_list()) wrong_type(node, key, "a list", "write it as [item, ...]");
  return node;
}

const Node& as_map(const Node& node, const std::string& key) {
  if (!node.is_map()) wrong_type(node, key, "a map", "write it as {name: value, ...}");
  return node;
}

std::vector<std::string> as_texts(const Node& node, const std::string& key) {
  std::vector<std::string> texts;
  std::size_t index = 0;
  for (const Node& item : as_list(node, key).items) texts.push_back(as_text(item, key + "." + std::to_string(index++)));
  return texts;
}

std::vector<std::string> as_text_or_texts(const Node& node, const std::string& key) {
  if (node.is_text()) return {node.text()};
  return as_texts(node, key);
}

std::string as_choice(const Node& node, const std::string& key, std::initializer_list<const char*> choices) {
  std::string text = as_text(node, key);
  const std::vector<std::string> names(choices.begin(), choices.end());
  if (std::find(names.begin(), names.end(), text) != names.end()) return text;
  const auto near = nearest(text, names);
  throw UserError("`" + key + "` cannot be '" + text + "'", node.where.text(),
                  (near ? "did you mean '" + *near + "'? " : "") + std::string("it is one of ") + listed(names));
}

Duration as_duration(const Node& node, const std::string& key) {
  std::string text;
  if (node.is_text()) {
    text = node.text();
  } else if (node.is(Node::Kind::real) && !is_whole(node.scalar.get<double>())) {
    wrong_type(node, key, "a duration", "write whole hours, or text such as 6h or 90m");
  } else if (node.is_null() || node.is_container()) {
    wrong_type(node, key, "a duration", "write whole hours, or text such as 6h, 10d or PT6H");
  } else {
    text = std::to_string(as_integer(node, key));
  }
  try {
    return parse_duration(text);
  } catch (const UserError& error) {
    throw UserError("`" + key + "`: " + error.message(), node.where.text(), error.remedy());
  }
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& names) {
  const std::string wanted = folded(word);
  std::optional<std::string> best;
  std::size_t fewest = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t count = edits(wanted, folded(name));
    if (count >= fewest) continue;
    fewest = count;
    best = name;
  }
  return best;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

MapReader::MapReader(Node node, std::string key, const std::vector<std::string>& known)
    : node_(std::move(node)), key_(std::move(key)) {
  for (const Node::Entry& entry : node_.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const auto near = nearest(entry.key, known);
    std::string remedy = "leave it out: nothing can be set here";
    if (near) {
      remedy = "did you mean `" + *near + "`?";
    } else if (!known.empty()) {
      std::vector<std::string> sorted = known;
      std::sort(sorted.begin(), sorted.end());
      remedy = "known here: " + listed(sorted);
    }
    throw UserError("unknown key `" + path(entry.key) + "`", entry.where.text(), remedy);
  }
}

const Node* MapReader::find(const std::string& name) const { return node_.find(name); }

const Node* MapReader::find_set(const std::string& name) const {
  const Node* node = find(name);
  return node == nullptr || node->is_null() ? nullptr : node;
}

std::string MapReader::path(const std::string& name) const { return key_.empty() ? name : key_ + "." + name; }

const Location& MapReader::where(const std::string& name) const {
  const Node::Entry* entry = node_.entry(name);
  return entry == nullptr ? node_.where : entry->where;
}

void MapReader::unsupported(const std::string& name, const std::string& remedy) const {
  const Node* node = find_set(name);
  if (node == nullptr) return;
  if (node->is_container() && node->items.empty() && node->entries.empty()) return;
  if (node->is(Node::Kind::boolean) && !node->scalar.get<bool>()) return;
  throw UserError("`" + path(name) + "` is not supported by this build", where(name).text(), remedy);
}

}  // namespace tradewind::config
