// A value of the metadata JSON together with its path, so that every error can name the place.
// Cheap to copy; valid as long as the document. Errors: UserError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checkpoint/metadata.h"

namespace tradewind::checkpoint {

class JsonNode {
 public:
  explicit JsonNode(const Json& value, std::string path = {}) : value_(&value), path_(std::move(path)) {}
  const Json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  // Absent when this is no object, the key is missing or its value is null.
  std::optional<JsonNode> find(std::string_view key) const;
  JsonNode at(std::string_view key) const;
  std::optional<JsonNode> find_path(std::initializer_list<std::string_view> keys) const;
  JsonNode at_path(std::initializer_list<std::string_view> keys) const;
  std::vector<JsonNode> items() const;  // of an array

  std::string text() const;         // a string
  std::string scalar_text() const;  // a string or a number, as text
  std::int64_t integer() const;
  std::vector<std::string> texts() const;
  std::vector<std::int64_t> integers() const;
  Duration duration() const;  // a number of hours, or text

  [[noreturn]] void fail(const std::string& what) const;

 private:
  JsonNode child(const Json& value, std::string_view key) const;
  const Json* value_;
  std::string path_;
};

// Parses what Python's json module writes, which may hold bare NaN and Infinity (read as null).
Json parse_python_json(const std::string& text);

// Every value of `key` at any depth, outermost first, in document order.
std::vector<JsonNode> find_everywhere(const JsonNode& node, std::string_view key);

}  // namespace tradewind::checkpoint
