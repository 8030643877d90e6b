#include "worker/grib/encode.h"

#include <algorithm>
#include <array>
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

// Whether a value of the field would be taken for a missing point: with a bitmap, a number stands for those while
// ecCodes encodes, whatever else it means.
bool clashes(std::span<const float> values, double stand_in) {
  return std::any_of(values.begin(), values.end(), [&](float value) { return static_cast<double>(value) == stand_in; });
}

// A number that no value of the field is.
double beside(std::span<const float> values) {
  double least = 0;
  for (const float value : values)
    if (!std::isnan(value)) least = std::min(least, static_cast<double>(value));
  return 2 * least - 1;
}

std::vector<double> encodable(const Handle& message_template, std::span<const float> values, Json& keys,
                              const EncodeOptions& options) {
  if (std::any_of(values.begin(), values.end(), [](float value) { return std::isinf(value); }))
    throw UserError("the field has infinite values", "", "the forecast has become unstable: check the input");
  const bool missing = std::any_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
  if (missing && !options.allow_nans)
    throw UserError("the field has missing values (NaN)", "", "set `allow_nans: true`, or leave the variable out");
  std::vector<double> result(values.begin(), values.end());
  if (missing) {
    const double stand_in = clashes(values, options.missing_value) ? beside(values) : options.missing_value;
    keys["missingValue"] = stand_in;
    keys["bitmapPresent"] = 1;
    std::replace_if(
        result.begin(), result.end(), [](double value) { return std::isnan(value); }, stand_in);
  } else if (is_on(keys, "bitmapPresent") || message_template.integer("bitmapPresent").value_or(0) != 0) {
    constexpr double usual = 9999;  // in every message that ecCodes opens or copies
    const double stand_in =
        keys.contains("missingValue") && keys["missingValue"].is_number() ? keys["missingValue"].get<double>() : usual;
    if (clashes(values, stand_in)) keys["missingValue"] = beside(values);
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

// Without the values.
Handle with_keys(const Handle& message_template, Json keys, std::size_t count) {
  Handle message = message_template.clone();
  if (is_on(keys, "deleteLocalDefinition"))
    for (const char* key : local_keys) keys.erase(key);
  if (!keys.contains("generatingProcessIdentifier")) keys["generatingProcessIdentifier"] = 255;
  Json scalars = Json::object(), lists = Json::object();
  for (const auto& [key, value] : keys.items()) (value.is_primitive() ? scalars : lists)[key] = value;
  set_scalars(message, message_template, scalars);
  for (const auto& [key, value] : lists.items()) message.set_json(key, value);
  if (const std::size_t points = message.value_count(); points != count)
    throw UserError("the template has " + std::to_string(points) + " grid points, the field " + std::to_string(count),
                    message_template.where(), "give a template on the model's grid");
  return message;
}

// How values are packed: keys that make ecCodes pack anew what the template holds.
bool is_of_packing(const std::string& key) {
  static constexpr std::array<const char*, 14> keys = {"packingType",         "bitsPerValue",
                                                       "decimalScaleFactor",  "binaryScaleFactor",
                                                       "decimalPrecision",    "accuracy",
                                                       "precision",           "setDecimalPrecision",
                                                       "setBitsPerValue",     "changeDecimalPrecision",
                                                       "bitmapPresent",       "missingValue",
                                                       "optimizeScaleFactor", "dataRepresentationTemplateNumber"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Calls encode(keys, keys to check), once more in edition 2 where edition 1 cannot hold the message.
template <typename Encode>
Handle in_some_edition(Json wanted, Json checked, const EncodeOptions& options, const Encode& encode) {
  const auto made = [&]() -> Handle {
    try {
      return encode(wanted);
    } catch (const UserError&) {
      if (wanted.value("edition", Json()) == 2) throw;
      wanted["edition"] = checked["edition"] = 2;
      return encode(wanted);
    }
  };
  Handle message = made();
  if (options.check) check_keys(message, checked);
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
  const std::vector<double> numbers = encodable(message_template, values, wanted, options);
  return in_some_edition(wanted, keys, options, [&](const Json& some) {
    Handle message = with_keys(message_template, some, numbers.size());
    message.set_values(numbers);
    return message;
  });
}

Json packing_keys(const Json& keys) {
  Json some = Json::object();
  for (const auto& [key, value] : keys.items())
    if (is_of_packing(key)) some[key] = value;
  return some;
}

Handle encode_header(const Handle& message_template, const Json& keys, std::size_t points,
                     const EncodeOptions& options) {
  Json some = Json::object();
  for (const auto& [key, value] : keys.items())
    if (!is_of_packing(key)) some[key] = value;
  return in_some_edition(some, some, options,
                         [&](const Json& wanted) { return with_keys(message_template, wanted, points); });
}

void check_keys(const Handle& message, const Json& keys) {
  if (mismatches(message, keys).empty()) return;
  const std::string found = mismatches(message.clone(), keys);
  if (!found.empty())
    throw UserError("the GRIB message does not keep its keys: " + found, message.where(),
                    "check `encoding`, or set `check_encoding: false`");
}

}  // namespace tradewind::grib
