#include "proto/store.h"

#include <array>
#include <utility>

namespace tradewind::proto {
namespace {

using Work = StoreRequest::Work;
constexpr std::array<std::pair<Work, const char*>, 8> work_names = {{{Work::set, "set"},
                                                                     {Work::get, "get"},
                                                                     {Work::wait, "wait"},
                                                                     {Work::add, "add"},
                                                                     {Work::compare_set, "compare_set"},
                                                                     {Work::check, "check"},
                                                                     {Work::remove, "delete"},
                                                                     {Work::count, "count"}}};
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least_number = std::numeric_limits<std::int64_t>::min();

std::array<std::int8_t, 256> values_of_digits() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i)
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  return values;
}

// RFC 4648, padded.
std::string bytes_of(const Fields& fields, const char* name, const std::string& text) {
  static const auto values = values_of_digits();
  if (text.size() % 4 != 0) fields.fail(name, "is not base64");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (text.size() / 4 * 3 > max_store_value + 2 + padding) fields.fail(name, "is too long");
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pad = i >= text.size() - padding;
    const int value = pad ? 0 : values[static_cast<unsigned char>(text[i])];
    if (value < 0) fields.fail(name, "is not base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift & 0xff);
    bits = 0;
  }
  bytes.resize(bytes.size() - padding);
  if (bytes.size() > max_store_value) fields.fail(name, "is too long");
  return bytes;
}

std::string bytes_of(const Fields& fields, const char* name) { return bytes_of(fields, name, fields.text(name)); }

const Json& list_of(const Fields& fields, const char* name) {
  const Json& list = fields.at(name);
  if (!list.is_array()) fields.fail(name, "is not a list");
  if (list.size() > most_store_keys) fields.fail(name, "is too long");
  return list;
}

}  // namespace

std::string base64_of(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + j])) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? digits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string store_key_of(const Fields& fields, const char* name) {
  std::string key = fields.text(name);
  if (key.size() > max_store_key) fields.fail(name, "is too long");
  return key;
}

std::vector<std::string> store_keys_of(const Fields& fields, const char* name) {
  std::vector<std::string> keys;
  for (const Json& key : list_of(fields, name)) {
    if (!key.is_string() || key.get_ref<const std::string&>().size() > max_store_key)
      fields.fail(name, "has an element that is no key");
    keys.push_back(key.get<std::string>());
  }
  return keys;
}

Json to_json(const std::vector<StoreValue>& values) {
  Json list = Json::array();
  for (const StoreValue& one : values) list.push_back({{"key", one.key}, {"value", base64_of(one.value)}});
  return list;
}

std::vector<StoreValue> store_values_of(const Fields& fields, const char* name) {
  std::vector<StoreValue> values;
  for (const Json& one : list_of(fields, name)) {
    if (!one.is_object()) fields.fail(name, "has an element that is no object");
    const Fields each(one, name);
    values.push_back({store_key_of(each, "key"), bytes_of(each, "value")});
  }
  return values;
}

Json to_json(const char* type, const StoreRequest& request) {
  const char* work = "";
  for (const auto& [value, name] : work_names)
    if (value == request.work) work = name;
  return {{"type", type},
          {"id", request.id},
          {"do", work},
          {"keys", request.keys},
          {"value", base64_of(request.value)},
          {"expected", base64_of(request.expected)},
          {"amount", request.amount}};
}

StoreRequest store_request_of(const Fields& fields) {
  StoreRequest request{.id = fields.integer("id", 0, most_number),
                       .keys = store_keys_of(fields, "keys"),
                       .value = bytes_of(fields, "value"),
                       .expected = bytes_of(fields, "expected"),
                       .amount = fields.integer("amount", least_number, most_number)};
  const std::string work = fields.text("do");
  bool known = false;
  for (const auto& [value, name] : work_names)
    if (work == name) request.work = value, known = true;
  if (!known) fields.fail("do", "has an unknown value");
  const bool many = request.work == Work::get || request.work == Work::wait || request.work == Work::check;
  if (!many && request.keys.size() != (request.work == Work::count ? 0U : 1U))
    fields.fail("keys", "has too many or too few elements");
  return request;
}

Json to_json(const char* type, const StoreAnswer& answer) {
  Json values = Json::array();
  for (const std::string& value : answer.values) values.push_back(base64_of(value));
  return {{"type", type},     {"id", answer.id},     {"number", answer.number},
          {"values", values}, {"more", answer.more}, {"error", clipped(answer.error)}};
}

StoreAnswer store_answer_of(const Fields& fields) {
  StoreAnswer answer{.id = fields.integer("id", 0, most_number),
                     .number = fields.integer("number", least_number, most_number),
                     .more = fields.flag("more"),
                     .error = fields.text("error")};
  for (const Json& value : list_of(fields, "values")) {
    if (!value.is_string()) fields.fail("values", "has an element that is no text");
    answer.values.push_back(bytes_of(fields, "values", value.get_ref<const std::string&>()));
  }
  return answer;
}

}  // namespace tradewind::proto
