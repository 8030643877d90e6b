// One GRIB message in ecCodes' hands. Owns the ecCodes handle; movable, not copyable (clone() copies the message).
// A handle belongs to one thread at a time; different handles may be used by different threads at once.
// Errors: UserError with the place given at construction (file, message number, offset), the key and what ecCodes says,
// its failed assertions included: ecCodes never aborts the process.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct grib_handle;

namespace tradewind::grib {

using Json = nlohmann::ordered_json;

class Handle {
 public:
  // `bytes` is one whole message, copied.
  static Handle from_bytes(std::string_view bytes, std::string where);
  // A message out of ecCodes' own samples; nullopt when there is none of that name.
  static std::optional<Handle> from_sample(const std::string& name);
  Handle clone() const;

  const std::string& where() const { return where_; }
  std::string bytes() const;  // the encoded message

  // nullopt when the message has no such key or its value is missing.
  std::optional<long> integer(const std::string& key) const;
  std::optional<double> real(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  // The value in the key's own type: integer, real or text.
  std::optional<Json> native(const std::string& key) const;
  std::vector<double> reals(const std::string& key) const;
  // The values of a key that must have `count` of them, which is checked before anything of that size is allocated; NaN
  // where ecCodes leaves one unset. nullopt when ecCodes does not know how to work them out.
  std::optional<std::vector<double>> reals(const std::string& key, std::size_t count) const;
  std::vector<long> integers(const std::string& key) const;

  // Field values in the order of the message's points; NaN where the bitmap says missing. Decoded as float where
  // ecCodes can for the message's packing, else as double and converted.
  std::vector<float> values() const;
  std::vector<double> values_double() const;
  std::size_t value_count() const;  // at most 2^30, else the message is damaged

  void set(const std::string& key, long value);
  void set(const std::string& key, double value);
  void set(const std::string& key, const std::string& value);
  void set(const std::string& key, std::span<const long> values);
  void set_json(const std::string& key, const Json& value);
  // All scalars of an object at once, as ecCodes resolves keys that depend on one another; numbers in text count as
  // numbers, as on ecCodes' command line.
  void set_together(const Json& scalars);
  // The same keys, with those that `shortName` stands for in its place, as far as that is known (tables/short_names.h).
  Json spelt_out(const Json& scalars) const;
  void set_values(std::span<const double> values);

 private:
  // Of a field of one value without a picture, which ecCodes expects all the same (WMO regulation 92.9.4: R / 10^D).
  std::optional<double> value_of_all() const;
  void check_picture(std::size_t count) const;
  struct Release {
    void operator()(grib_handle* handle) const;
  };
  Handle(grib_handle* handle, std::string where);
  grib_handle* raw() const;
  bool set_short_name(const std::string& name);  // false: not known, or ecCodes has to put it right
  [[noreturn]] void fail(int code, const std::string& doing) const;

  std::unique_ptr<grib_handle, Release> handle_;
  std::string where_;
};

// Latitudes (degrees, north to south) of the Gaussian grid with n parallels between pole and equator.
std::vector<double> gaussian_latitudes(long n);

}  // namespace tradewind::grib
