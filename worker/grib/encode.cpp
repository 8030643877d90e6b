#include "worker/grib/encode.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <vector>

#include "common/errors.h"
#include "worker/grib/namer.h"

namespace tradewind::grib {
namespace {

bool is_on(const Json& keys, const char* key) {
  const auto found = keys.find(key);
  return found != keys.end() && *found != 0 && *found != false && *found != "0";
}

// Keys of the local section, which a message without one does not have.
constexpr std::array<const char*, 5> local_keys = {"class", "type", "stream", "expver", "setLocalDefinition"};

std::vector<double> encodable(std::span<const float> values, Json& keys, const EncodeOptions& options) {
  std::vector<double> result(values.begin(), values.end());
  const bool missing = std::any_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
  if (missing && !options.allow_nans)
    throw UserError("the field has missing values (NaN)", "", "set `allow_nans: true`, or leave the variable out");
  if (missing) {
    keys["missingValue"] = options.missing_value;
    keys["bitmapPresent"] = 1;
    for (double& value : result) {
      if (std::isnan(value))
        value = options.missing_value;
      else if (std::isinf(value))
        value = std::copysign(static_cast<double>(FLT_MAX), value);
    }
  } else if (std::any_of(values.begin(), values.end(), [](float value) { return std::isinf(value); })) {
    throw UserError("the field has infinite values", "", "the forecast has become unstable: check the input");
  }
  return result;
}

void set_scalars(Handle& message, const Handle& message_template, const Json& scalars) {
  if (const Json numbers = message.spelt_out(scalars); numbers != scalars) {
    try {
      message.set_together(numbers);
      return;
    } catch (const UserError&) {  // ecCodes puts some short names right in its own way
      message = message_template.clone();
    }
  }
  try {
    message.set_together(scalars);
  } catch (const UserError&) {  // some keys only go one by one
    for (const auto& [key, value] : scalars.items()) message.set_json(key, value);
  }
}

Handle encode_once(const Handle& message_template, Json keys, std::span<const double> values) {
  Handle message = message_template.clone();
  if (is_on(keys, "deleteLocalDefinition"))
    for (const char* key : local_keys) keys.erase(key);
  if (!keys.contains("generatingProcessIdentifier")) keys["generatingProcessIdentifier"] = 255;
  Json scalars = Json::object(), lists = Json::object();
  for (const auto& [key, value] : keys.items()) (value.is_primitive() ? scalars : lists)[key] = value;
  set_scalars(message, message_template, scalars);
  for (const auto& [key, value] : lists.items()) message.set_json(key, value);
  if (const std::size_t points = message.value_count(); points != values.size())
    throw UserError(
        "the template has " + std::to_string(points) + " grid points, the field " + std::to_string(values.size()),
        message_template.where(), "give a template on the model's grid");
  message.set_values(values);
  return message;
}

bool same(const Json& found, const Json& wanted) {
  if (found.type() == wanted.type() || (found.is_number_integer() && wanted.is_number_integer()))
    return found == wanted;
  return plain_text(found) == plain_text(wanted);
}

std::string mismatches(const Handle& message, const Json& keys) {
  std::string result;
  const bool no_local = is_on(keys, "deleteLocalDefinition");
  for (const auto& [key, value] : keys.items()) {
    if (!value.is_primitive() || key == "deleteLocalDefinition") continue;
    if (no_local && std::find(local_keys.begin(), local_keys.end(), key) != local_keys.end()) continue;
    const bool whole = value.is_number_integer() || value.is_boolean();
    std::optional<Json> found;
    if (!whole)
      found = message.native(key);
    else if (const auto number = message.integer(key))
      found = Json(*number);
    const Json wanted = value.is_boolean() ? Json(value.get<bool>() ? 1 : 0) : value;
    if (!found || !same(*found, wanted))
      result += (result.empty() ? "" : "; ") + key + ": asked for " + plain_text(value) + ", got " +
                (found ? plain_text(*found) : "nothing");
  }
  return result;
}

}  // namespace

Handle encode_field(const Handle& message_template, const Json& keys, std::span<const float> values,
                    const EncodeOptions& options) {
  Json wanted = keys;
  const std::vector<double> numbers = encodable(values, wanted, options);
  Json checked = keys;
  const auto encode = [&] {
    try {
      return encode_once(message_template, wanted, numbers);
    } catch (const UserError&) {
      if (wanted.value("edition", Json()) == 2) throw;
      wanted["edition"] = checked["edition"] = 2;
      return encode_once(message_template, wanted, numbers);
    }
  };
  Handle message = encode();
  if (options.check) check_keys(message, checked);
  return message;
}

void check_keys(const Handle& message, const Json& keys) {
  if (mismatches(message, keys).empty()) return;
  const std::string found = mismatches(message.clone(), keys);
  if (!found.empty())
    throw UserError("the GRIB message does not keep its keys: " + found, message.where(),
                    "check `encoding`, or set `check_encoding: false`");
}

}  // namespace tradewind::grib
