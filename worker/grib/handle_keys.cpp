// How keys are set: by the type of their value, all at once, and the short name by what it stands for.
#include <eccodes.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "common/errors.h"
#include "worker/grib/handle.h"
#include "worker/grib/tables/short_names.h"

namespace tradewind::grib {
namespace {

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  return value.dump();
}

// Whether other definitions may count once this key is set.
bool may_lead_elsewhere(const Handle& message, const std::string& key, const Json& value) {
  static constexpr std::array<const char*, 5> harmless = {"typeOfLevel", "stepType", "productDefinitionTemplateNumber",
                                                          "eps", "number"};
  if (key == "edition") return value != message.integer("edition").value_or(0);
  return std::find(harmless.begin(), harmless.end(), key) == harmless.end();
}

}  // namespace

void Handle::set_json(const std::string& key, const Json& value) {
  if (value.is_boolean()) return set(key, value.get<bool>() ? 1L : 0L);
  if (value.is_number_integer()) return set(key, value.get<long>());
  if (value.is_number()) return set(key, value.get<double>());
  if (value.is_string()) return set(key, value.get<std::string>());
  if (!value.is_array() || value.empty()) throw UserError("cannot set " + key + " to " + value.dump(), where_);
  if (value.front().is_number_float()) {
    const auto values = value.get<std::vector<double>>();
    if (const int code = codes_set_double_array(raw(), key.c_str(), values.data(), values.size()))
      fail(code, "cannot set " + key);
  } else if (value.front().is_number()) {
    set(key, std::span<const long>(value.get<std::vector<long>>()));
  } else {
    throw UserError("cannot set " + key + " to a list of " + value.front().type_name(), where_);
  }
}

bool Handle::set_short_name(const std::string& name) {
  const auto keys = keys_of_short_name(raw(), name);
  if (!keys) return false;
  std::vector<codes_values> values(keys->size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].name = (*keys)[i].name;
    values[i].type = CODES_TYPE_LONG;
    values[i].long_value = (*keys)[i].value;
  }
  return codes_set_values(raw(), values.data(), values.size()) == CODES_SUCCESS;
}

Json Handle::spelt_out(const Json& scalars) const {
  const auto name = scalars.find("shortName");
  if (name == scalars.end() || !name->is_string()) return scalars;
  Json before = Json::object(), result = Json::object();
  bool same_definitions = true;
  for (auto key = scalars.begin(); key != name; ++key) {
    before[key.key()] = *key;
    same_definitions = same_definitions && !may_lead_elsewhere(*this, key.key(), *key);
  }
  result = before;
  const auto keys = [&]() -> std::optional<std::vector<NumberedKey>> {
    if (same_definitions) return keys_of_short_name(raw(), name->get<std::string>());
    try {
      Handle message = clone();
      message.set_together(before);
      return keys_of_short_name(message.raw(), name->get<std::string>());
    } catch (const UserError&) {
      return std::nullopt;
    }
  }();
  if (!keys) return scalars;
  for (const NumberedKey& key : *keys) {
    if (scalars.contains(key.name) || result.contains(key.name)) return scalars;
    result[key.name] = key.value;
  }
  for (auto key = std::next(name); key != scalars.end(); ++key) result[key.key()] = *key;
  return result;
}

void Handle::set_together(const Json& scalars) {
  std::vector<codes_values> values(scalars.size());
  std::vector<std::string> texts(scalars.size());
  std::size_t count = 0;
  for (const auto& [key, value] : scalars.items()) {
    codes_values& entry = values[count];
    std::string& text = texts[count++] = scalar_text(value);
    entry = {};
    entry.name = key.c_str();
    char* end = nullptr;
    entry.long_value = std::strtol(text.c_str(), &end, 10);
    if (*end == '\0') {
      entry.type = CODES_TYPE_LONG;
    } else if (entry.double_value = std::strtod(text.c_str(), &end); *end == '\0') {
      entry.type = CODES_TYPE_DOUBLE;
    } else if (text == "missing" || text == "MISSING") {
      entry.type = CODES_TYPE_MISSING;
    } else {
      entry.type = CODES_TYPE_STRING;
      entry.string_value = text.c_str();
    }
  }
  if (const int code = codes_set_values(raw(), values.data(), count)) {
    std::string keys;
    for (const auto& [key, value] : scalars.items())
      keys += (keys.empty() ? "" : ", ") + key + "=" + scalar_text(value);
    fail(code, "cannot set " + keys);
  }
}

}  // namespace tradewind::grib
