#include "proto/fields.h"

#include <cmath>

#include "common/errors.h"

namespace tradewind::proto {
namespace {

constexpr std::size_t max_text_bytes = std::size_t{16} << 10;

}  // namespace

std::string clipped(const std::string& text) {
  if (text.size() <= max_text_bytes) return text;
  return text.substr(0, max_text_bytes) + " ...";
}

std::string Fields::text(const char* name) const {
  const Json& value = at(name);
  if (!value.is_string()) fail(name, "is not a text");
  return value.get<std::string>();
}

bool Fields::flag(const char* name) const {
  const Json& value = at(name);
  if (!value.is_boolean()) fail(name, "is neither true nor false");
  return value.get<bool>();
}

std::int64_t Fields::integer(const char* name, std::int64_t minimum, std::int64_t maximum) const {
  const Json& value = at(name);
  if (!value.is_number_integer()) fail(name, "is not an integer");
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    fail(name, "is out of range");
  const auto number = value.get<std::int64_t>();
  if (number < minimum || number > maximum) fail(name, "is out of range");
  return number;
}

double Fields::seconds(const char* name) const {
  const Json& value = at(name);
  if (!value.is_number()) fail(name, "is not a number");
  const auto number = value.get<double>();
  if (!std::isfinite(number) || number < 0) fail(name, "is not a length of time");
  return number;
}

Time Fields::time(const char* name) const {
  try {
    return parse_date(text(name));
  } catch (const Error&) {
    fail(name, "is not a date");
  }
}

Fields Fields::object(const char* name) const { return Fields(any_object(name), type_); }

const Json& Fields::any_object(const char* name) const {
  const Json& value = at(name);
  if (!value.is_object()) fail(name, "is not an object");
  return value;
}

const Json& Fields::at(const char* name) const {
  const auto found = object_.find(name);
  if (found == object_.end()) fail(name, "is missing");
  return *found;
}

void Fields::fail(const char* name, const char* why) const {
  throw ProtocolError("message `" + type_ + "`: field `" + name + "` " + why);
}

Json parse_line(std::string_view line) {
  if (line.size() >= max_line_bytes) throw ProtocolError("a line of " + std::to_string(line.size()) + " bytes");
  // A callback refuses deep nesting before it is built: values of ours are a dozen levels deep at most.
  constexpr int deepest = 64;
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > deepest) throw ProtocolError("JSON nested deeper than 64 levels");
    return true;
  };
  Json json = Json::parse(line, shallow, false);
  if (!json.is_object()) throw ProtocolError("a line that is not a JSON object");
  return json;
}

std::string type_of(const Json& object) {
  const auto type = object.is_object() ? object.find("type") : object.end();
  if (type == object.end() || !type->is_string()) throw ProtocolError("an object without a `type`");
  return type->get<std::string>();
}

std::string to_line(const Json& json, bool exact) {
  std::string line;
  try {
    line = json.dump(-1, ' ', false, exact ? Json::error_handler_t::strict : Json::error_handler_t::replace);
  } catch (const Json::exception&) {
    throw ProtocolError("a text of the run configuration is not valid UTF-8");
  }
  line += '\n';
  if (line.size() > max_line_bytes)
    throw ProtocolError("a message of " + std::to_string(line.size()) + " bytes, more than the " +
                        std::to_string(max_line_bytes) + " that the protocol allows");
  return line;
}

}  // namespace tradewind::proto
