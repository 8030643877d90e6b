#include "worker/grib/handle.h"

#include <eccodes.h>

#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "common/errors.h"
#include "worker/grib/sections.h"
#include "worker/grib/tables/memory.h"
#include "worker/grib/tables/short_names.h"

namespace tradewind::grib {
namespace {

// What ecCodes logged last on this thread: it tells more than its error codes.
thread_local std::string last_log;

// The message that ecCodes works on, for its failed assertions.
thread_local const std::string* current_place = nullptr;

void keep_log(const grib_context*, int, const char* message) { last_log = message ? message : ""; }

[[noreturn]] void assertion_failed(const char* message) {
  throw UserError(
      std::string("the GRIB message is corrupt: ecCodes stopped at ") + (message ? message : "an assertion"),
      current_place ? *current_place : std::string(), "retrieve it again, or look at it with grib_dump");
}

void prepare_eccodes() {
  static const bool once = [] {
    setenv("ECCODES_GRIB_SHOW_HOUR_STEPUNIT", "1", 0);  // steps read as 6h, 30m; before ecCodes makes its context
    keep_tables_small();
    codes_context* context = codes_context_get_default();
    codes_context_set_logging_proc(context, keep_log);
    codes_set_codes_assertion_failed_proc(assertion_failed);
    return true;
  }();
  (void)once;
}

std::string explain(int code) {
  std::string text = codes_get_error_message(code);
  if (!last_log.empty()) text += " (" + std::exchange(last_log, {}) + ")";
  return text;
}

constexpr std::size_t most_values = std::size_t{1} << 30;

bool absent(int code) { return code == CODES_NOT_FOUND || code == CODES_NOT_IMPLEMENTED; }

}  // namespace

void Handle::Release::operator()(grib_handle* handle) const {
  current_place = nullptr;  // may be of the handle that goes
  codes_handle_delete(handle);
}

Handle::Handle(grib_handle* handle, std::string where) : handle_(handle), where_(std::move(where)) {}

grib_handle* Handle::raw() const {
  current_place = &where_;
  return handle_.get();
}

void Handle::fail(int code, const std::string& doing) const { throw UserError(doing + ": " + explain(code), where_); }

Handle Handle::from_bytes(std::string_view bytes, std::string where) {
  prepare_eccodes();
  last_log.clear();
  current_place = &where;
  grib_handle* handle = codes_handle_new_from_message_copy(nullptr, bytes.data(), bytes.size());
  current_place = nullptr;
  if (handle) return Handle(handle, std::move(where));
  throw UserError(
      "ecCodes cannot read the GRIB message" + (last_log.empty() ? std::string() : ": " + std::exchange(last_log, {})),
      where, "check the file with grib_ls; it may be damaged");
}

std::optional<Handle> Handle::from_sample(const std::string& name) {
  prepare_eccodes();
  current_place = nullptr;
  grib_handle* handle = codes_grib_handle_new_from_samples(nullptr, name.c_str());
  last_log.clear();
  if (!handle) return std::nullopt;
  return Handle(handle, "ecCodes sample " + name);
}

Handle Handle::clone() const {
  grib_handle* copy = codes_handle_clone(raw());
  if (!copy) throw UserError("ecCodes cannot copy the GRIB message", where_);
  return Handle(copy, where_);
}

std::string Handle::bytes() const {
  const void* data = nullptr;
  std::size_t size = 0;
  if (const int code = codes_get_message(raw(), &data, &size)) fail(code, "cannot take the encoded message");
  return std::string(static_cast<const char*>(data), size);
}

std::optional<long> Handle::integer(const std::string& key) const {
  int code = 0;
  if (codes_is_missing(raw(), key.c_str(), &code) || absent(code)) return std::nullopt;
  long value = 0;
  code = codes_get_long(raw(), key.c_str(), &value);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot read key " + key);
  return value;
}

std::optional<double> Handle::real(const std::string& key) const {
  int code = 0;
  if (codes_is_missing(raw(), key.c_str(), &code) || absent(code)) return std::nullopt;
  double value = 0;
  code = codes_get_double(raw(), key.c_str(), &value);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot read key " + key);
  return value;
}

std::optional<std::string> Handle::text(const std::string& key) const {
  if (key == "shortName")
    if (auto name = known_short_name(raw())) return name;
  int code = 0;
  if (codes_is_missing(raw(), key.c_str(), &code) || absent(code)) return std::nullopt;
  std::size_t length = 0;
  code = codes_get_length(raw(), key.c_str(), &length);
  std::string value(std::max<std::size_t>(length, 256), '\0');
  length = value.size();
  if (!code) code = codes_get_string(raw(), key.c_str(), value.data(), &length);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot read key " + key);
  value.resize(std::char_traits<char>::length(value.c_str()));
  return value;
}

std::optional<Json> Handle::native(const std::string& key) const {
  int type = CODES_TYPE_UNDEFINED;
  const int code = codes_get_native_type(raw(), key.c_str(), &type);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot read key " + key);
  if (type == CODES_TYPE_LONG) {
    const auto value = integer(key);
    return value ? std::optional<Json>(*value) : std::nullopt;
  }
  if (type == CODES_TYPE_DOUBLE) {
    const auto value = real(key);
    return value ? std::optional<Json>(*value) : std::nullopt;
  }
  const auto value = text(key);
  return value ? std::optional<Json>(*value) : std::nullopt;
}

std::vector<double> Handle::reals(const std::string& key) const {
  std::size_t count = 0;
  if (const int code = codes_get_size(raw(), key.c_str(), &count)) fail(code, "cannot read key " + key);
  std::vector<double> values(count);
  if (const int code = codes_get_double_array(raw(), key.c_str(), values.data(), &count))
    fail(code, "cannot read key " + key);
  values.resize(count);
  return values;
}

std::optional<std::vector<double>> Handle::reals(const std::string& key, std::size_t count) const {
  std::size_t given = 0;
  int code = codes_get_size(raw(), key.c_str(), &given);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot work out the " + key);
  if (given != count)
    throw UserError(
        "the message has " + std::to_string(given) + " " + key + " for " + std::to_string(count) + " points", where_,
        "the message may be damaged: retrieve it again, or look at it with grib_dump");
  std::vector<double> values(count, std::numeric_limits<double>::quiet_NaN());
  code = codes_get_double_array(raw(), key.c_str(), values.data(), &given);
  if (absent(code)) return std::nullopt;
  if (code) fail(code, "cannot work out the " + key);
  if (given != count) fail(CODES_WRONG_ARRAY_SIZE, "cannot work out the " + key);
  return values;
}

std::vector<long> Handle::integers(const std::string& key) const {
  std::size_t count = 0;
  if (const int code = codes_get_size(raw(), key.c_str(), &count)) fail(code, "cannot read key " + key);
  std::vector<long> values(count);
  if (const int code = codes_get_long_array(raw(), key.c_str(), values.data(), &count))
    fail(code, "cannot read key " + key);
  values.resize(count);
  return values;
}

std::size_t Handle::value_count() const {
  std::size_t count = 0;
  if (const int code = codes_get_size(raw(), "values", &count)) fail(code, "cannot read the number of values");
  if (count > most_values)
    throw UserError("the GRIB message says it has " + std::to_string(count) + " values", where_, "it is damaged");
  return count;
}

std::optional<double> Handle::value_of_all() const {
  const std::string packing = text("packingType").value_or("");
  if (packing != "grid_png" || integer("bitsPerValue") != 0 || integer("bitmapPresent").value_or(0))
    return std::nullopt;
  const auto value = real("referenceValue");
  const auto scale = integer("decimalScaleFactor");
  if (!value || !scale) return std::nullopt;
  return *value * std::pow(10.0, -static_cast<double>(*scale));
}

void Handle::check_picture(std::size_t count) const {
  const std::string packing = text("packingType").value_or("");
  if (packing != "grid_jpeg" && packing != "grid_png") return;
  if (const std::uint64_t points = points_in_picture(bytes(), where_); points > count)
    throw UserError(
        "the field has a picture of " + std::to_string(points) + " points for " + std::to_string(count) + " values",
        where_, "the message is damaged: retrieve it again");
}

std::vector<float> Handle::values() const {
  // The largest float marks missing points; only a bitmap makes any.
  codes_set_double(raw(), "missingValue", FLT_MAX);
  std::size_t count = value_count();
  std::vector<float> values(count, std::numeric_limits<float>::quiet_NaN());
  const int code = codes_get_float_array(raw(), "values", values.data(), &count);
  if (code == CODES_NOT_IMPLEMENTED) {  // JPEG 2000, PNG, IEEE
    last_log.clear();
    const std::vector<double> doubles = values_double();
    return {doubles.begin(), doubles.end()};
  }
  if (code) fail(code, "cannot decode the values");
  values.resize(count);
  if (integer("bitmapPresent").value_or(0))
    for (float& value : values)
      if (value == FLT_MAX) value = std::numeric_limits<float>::quiet_NaN();
  return values;
}

std::vector<double> Handle::values_double() const {
  const double missing = FLT_MAX;
  codes_set_double(raw(), "missingValue", missing);
  const std::size_t count = value_count();
  if (const auto same = value_of_all()) return std::vector<double>(count, *same);
  check_picture(count);
  auto decoded = reals("values", count);
  if (!decoded) fail(CODES_NOT_IMPLEMENTED, "cannot decode the values");
  std::vector<double>& values = *decoded;
  if (integer("bitmapPresent").value_or(0))
    for (double& value : values)
      if (value == missing) value = std::numeric_limits<double>::quiet_NaN();
  return std::move(values);
}

void Handle::set(const std::string& key, long value) {
  if (const int code = codes_set_long(raw(), key.c_str(), value))
    fail(code, "cannot set " + key + "=" + std::to_string(value));
}

void Handle::set(const std::string& key, double value) {
  if (const int code = codes_set_double(raw(), key.c_str(), value))
    fail(code, "cannot set " + key + "=" + Json(value).dump());
}

void Handle::set(const std::string& key, const std::string& value) {
  if (key == "shortName" && set_short_name(value)) return;
  std::size_t length = value.size();
  if (const int code = codes_set_string(raw(), key.c_str(), value.c_str(), &length))
    fail(code, "cannot set " + key + "=" + value);
}

void Handle::set(const std::string& key, std::span<const long> values) {
  if (const int code = codes_set_long_array(raw(), key.c_str(), values.data(), values.size()))
    fail(code, "cannot set " + key);
}

void Handle::set_values(std::span<const double> values) {
  if (const int code = codes_set_double_array(raw(), "values", values.data(), values.size()))
    fail(code, "cannot encode the values");
}

std::vector<double> gaussian_latitudes(long n) {
  prepare_eccodes();
  current_place = nullptr;
  std::vector<double> latitudes(static_cast<std::size_t>(2 * n));
  if (const int code = codes_get_gaussian_latitudes(n, latitudes.data()))
    throw UserError("no Gaussian grid with " + std::to_string(n) + " parallels: " + explain(code));
  return latitudes;
}

}  // namespace tradewind::grib
