// Reading typed fields of a JSON message, for every family of messages. Thread-safe: pure. Errors: ProtocolError naming
// the message and the field.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/dates.h"
#include "proto/lines.h"

namespace tradewind::proto {

using Json = nlohmann::ordered_json;

// Refers to the object, which must outlive it.
class Fields {
 public:
  Fields(const Json& object, std::string type) : object_(object), type_(std::move(type)) {}

  std::string text(const char* name) const;
  bool flag(const char* name) const;
  std::int64_t integer(const char* name, std::int64_t minimum, std::int64_t maximum) const;
  int small(const char* name, int minimum, int maximum = std::numeric_limits<int>::max()) const {
    return static_cast<int>(integer(name, minimum, maximum));
  }
  double seconds(const char* name) const;  // finite, not negative
  Time time(const char* name) const;
  Fields object(const char* name) const;
  const Json& any_object(const char* name) const;
  const Json& at(const char* name) const;
  [[noreturn]] void fail(const char* name, const char* why) const;

 private:
  const Json& object_;
  std::string type_;
};

// A line without its newline as an object: bounded in size and depth.
Json parse_line(std::string_view line);
// What the object calls itself.
std::string type_of(const Json& object);
// The line of a message, newline included. `exact`: a text that is no UTF-8 is an error, else it is mended.
std::string to_line(const Json& json, bool exact);
// Longest text of a user in a message; what is longer is cut.
std::string clipped(const std::string& text);

}  // namespace tradewind::proto
