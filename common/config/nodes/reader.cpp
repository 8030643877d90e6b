#include "common/config/nodes/reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::config {
namespace {

[[noreturn]] void wrong_type(const Node& node, const std::string& key, const std::string& wanted,
                             const std::string& remedy) {
  throw UserError(quoted(key) + " must be " + wanted + ", not " + node.kind_text(), node.where.text(), remedy);
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

int positive(const Node& node, const std::string& key, int most) {
  const std::int64_t value = as_integer(node, key);
  if (value >= 1 && value <= most) return static_cast<int>(value);
  const bool open = most == std::numeric_limits<int>::max() && value < 1;
  throw UserError(quoted(key) + " is " + std::to_string(value) + ", it must be " +
                      (open ? "1 or more" : "from 1 to " + std::to_string(most)),
                  node.where.text(), open ? "write a whole number from 1 on" : "write a number in that range");
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
  throw UserError(quoted(key) + " cannot be '" + clipped(text) + "'", node.where.text(),
                  did_you_mean(text, names) + "it is one of " + listed(names));
}

Duration as_duration(const Node& node, const std::string& key) {
  std::string text;
  constexpr std::size_t kLongest = 100;
  if (node.is_text() && node.text().size() <= kLongest) {
    text = node.text();
  } else if (node.is_text()) {
    wrong_type(node, key, "a duration", "write text such as 6h, 10d or PT6H");
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
    throw UserError(quoted(key) + ": " + error.message(), node.where.text(), error.remedy());
  }
}

Time as_date(const Node& node, const std::string& key) {
  constexpr std::size_t kLongest = 100;
  const std::string text = as_text(node, key);
  if (text.size() > kLongest) wrong_type(node, key, "a date", "write for example '2020-01-01T12:00'");
  try {
    return parse_date(text);
  } catch (const UserError& error) {
    throw UserError(quoted(key) + ": " + error.message(), node.where.text(), error.remedy());
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

MapReader::MapReader(Node node, std::string key, const std::vector<std::string>& known, Findings& findings)
    : node_(std::move(node)), key_(std::move(key)), findings_(findings) {
  for (const Node::Entry& entry : node_.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const auto near = nearest(entry.key, known);
    std::string remedy = "leave it out: nothing can be set here";
    if (near) {
      remedy = "did you mean `" + *near + "`?";
      guessed_.push_back(*near);
    } else if (!known.empty()) {
      std::vector<std::string> sorted = known;
      std::sort(sorted.begin(), sorted.end());
      remedy = "known here: " + listed(sorted);
    }
    findings_.refuse(UserError("unknown key " + quoted(path(entry.key)), entry.where.text(), remedy));
  }
}

const Node* MapReader::find(const std::string& name) const {
  const Node* node = node_.find(name);
  return node == nullptr || node->failed ? nullptr : node;
}

const Node* MapReader::find_set(const std::string& name) const {
  const Node* node = find(name);
  return node == nullptr || node->is_null() ? nullptr : node;
}

std::string MapReader::path(const std::string& name) const { return key_.empty() ? name : key_ + "." + name; }

const Location& MapReader::where(const std::string& name) const {
  const Node::Entry* entry = node_.entry(name);
  return entry == nullptr ? node_.where : entry->where;
}

bool MapReader::meant(const std::string& name) const {
  const Node* node = node_.find(name);
  return (node != nullptr && (node->failed || !node->is_null())) ||
         std::find(guessed_.begin(), guessed_.end(), name) != guessed_.end();
}

void MapReader::missing(const std::string& name, const Location& where, const std::string& remedy) const {
  if (!meant(name)) findings_.refuse(UserError(quoted(path(name)) + " is missing", where.text(), remedy));
}

void MapReader::unsupported(const std::string& name, const std::string& remedy) const {
  const Node* node = find_set(name);
  if (node == nullptr) return;
  if (node->is_container() && node->items.empty() && node->entries.empty()) return;
  if (node->is(Node::Kind::boolean) && !node->scalar.get<bool>()) return;
  findings_.refuse(UserError(quoted(path(name)) + " is not supported by this build", where(name).text(), remedy));
}

}  // namespace tradewind::config
