#include "common/config/nodes/node.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace tradewind::config {
namespace {

// The shortest digits that read back as the same number, laid out as Python's repr() does.
std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const auto scientific =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string digits(buffer.data(), scientific.ptr);
  const int exponent = std::atoi(digits.c_str() + digits.find('e') + 1);
  if (exponent < -4 || exponent >= 16) return digits;
  const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  std::string text(buffer.data(), fixed.ptr);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string clipped(const std::string& text) {
  constexpr std::size_t kMost = 200;
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

std::string quoted(const std::string& key) {
  std::string text = "`";
  text += clipped(key);
  text += '`';
  return text;
}

std::string Location::text() const {
  if (line == 0) return source;
  return source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Node Node::of(Json scalar, Location where) {
  Node node;
  if (scalar.is_null()) {
    node.kind = Kind::null;
  } else if (scalar.is_boolean()) {
    node.kind = Kind::boolean;
  } else if (scalar.is_number_integer()) {
    node.kind = Kind::integer;
  } else if (scalar.is_number()) {
    node.kind = Kind::real;
  } else {
    node.kind = Kind::text;
  }
  node.scalar = std::move(scalar);
  node.where = std::move(where);
  return node;
}

Node Node::map(Location where) {
  Node node;
  node.kind = Kind::map;
  node.where = std::move(where);
  return node;
}

Node Node::list(Location where) {
  Node node;
  node.kind = Kind::list;
  node.where = std::move(where);
  return node;
}

const Node::Entry* Node::entry(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

const Node* Node::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::set(const std::string& key, const Location& key_where, Node value) {
  for (Entry& e : entries) {
    if (e.key != key) continue;
    e.where = key_where;
    e.value = std::move(value);
    return e.value;
  }
  entries.push_back({key, key_where, std::move(value)});
  return entries.back().value;
}

void Node::remove(std::string_view key) {
  std::erase_if(entries, [&](const Entry& e) { return e.key == key; });
}

std::string Node::shown() const {
  switch (kind) {
    case Kind::null:
      return "None";
    case Kind::boolean:
      return scalar.get<bool>() ? "True" : "False";
    case Kind::integer:
      return scalar.dump();
    case Kind::real:
      return real_text(scalar.get<double>());
    case Kind::text:
      return text();
    default:
      return to_json().dump();
  }
}

std::string Node::kind_text() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return scalar.get<bool>() ? "true" : "false";
    case Kind::integer:
      return "the integer " + shown();
    case Kind::real:
      return "the number " + shown();
    case Kind::text:
      return "the text '" + clipped(text()) + "'";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return {};
}

Json Node::to_json() const {
  if (is_list()) {
    Json list = Json::array();
    for (const Node& item : items) list.push_back(item.to_json());
    return list;
  }
  if (is_map()) {
    Json::object_t map;  // keys are unique: none needs to be looked for
    map.reserve(entries.size());
    for (const Entry& e : entries) map.push_back({e.key, e.value.to_json()});
    return map;
  }
  return scalar;
}

}  // namespace tradewind::config
