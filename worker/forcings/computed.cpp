#include "worker/forcings/computed.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <optional>
#include <vector>

#include "common/errors.h"

namespace tradewind::forcings {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;
constexpr double days_per_year = 365.25;

double radians(double degrees) { return degrees * (std::numbers::pi / 180); }

// Days since the first of January 00 UTC, whole seconds.
double julian_day(Time date) {
  const CivilTime at = civil(date);
  const Time new_year = std::chrono::sys_days(std::chrono::year(at.year) / 1 / 1);
  return static_cast<double>((date - new_year).count()) / 86400;
}

double hours_since_midnight(Time date) {
  const auto seconds = date - std::chrono::floor<std::chrono::days>(date);
  return static_cast<double>(seconds.count()) / 86400 * 24;
}

// The sun's declination (radians) and the correction of solar time (degrees), as truncated Fourier series of the year.
struct Sun {
  double declination, time_correction;
  explicit Sun(Time date) {
    const double a = julian_day(date) / days_per_year * two_pi;
    declination = radians(0.396372 - 22.91327 * std::cos(a) + 4.025430 * std::sin(a) - 0.387205 * std::cos(2 * a) +
                          0.051967 * std::sin(2 * a) - 0.154527 * std::cos(3 * a) + 0.084798 * std::sin(3 * a));
    time_correction = 0.004297 + 0.107029 * std::cos(a) - 1.837877 * std::sin(a) - 0.837378 * std::cos(2 * a) -
                      2.340475 * std::sin(2 * a);
  }
};

// A moment at which the cosine of the solar zenith angle is wanted, and with which weight.
struct Node {
  Sun sun;
  double hour_angle;  // degrees at longitude 0
  double weight;
  // Of the time of day only the hour counts: the reference drops the minutes.
  Node(Time date, double its_weight) : sun(date), hour_angle((civil(date).hour - 12) * 15.0), weight(its_weight) {}
};

// One hour around the date in two half hours of three Gauss points each. The reference's nodes lie at sqrt(5/9) of a
// half interval (textbooks: sqrt(3/5)); whole seconds count.
std::vector<Node> radiation_nodes(Time date) {
  std::vector<Node> nodes;
  const double outer = std::sqrt(5.0 / 9);
  const Time begin = date - std::chrono::minutes(30);
  for (const double middle : {0.25, 0.75})
    for (const auto& [place, weight] :
         {std::pair(-outer, 5.0 / 9), std::pair(0.0, 8.0 / 9), std::pair(outer, 5.0 / 9)}) {
      const Time at = begin + Duration(static_cast<long>(std::floor((middle + 0.25 * place) * 3600)));
      const double distance = std::cos(julian_day(at) / days_per_year * two_pi) * 165120 + 4892416;  // J/m2 in an hour
      nodes.emplace_back(at, 0.25 * weight * distance);
    }
  return nodes;
}

enum class Formula {
  latitude,
  cos_latitude,
  sin_latitude,
  longitude,
  cos_longitude,
  sin_longitude,
  ecef_x,
  ecef_y,
  ecef_z,
  julian_day,
  cos_julian_day,
  sin_julian_day,
  local_time,
  cos_local_time,
  sin_local_time,
  solar,
  radiation
};

std::optional<Formula> formula_of(const std::string& name) {
  static const std::vector<std::pair<std::string, Formula>> formulas = {
      {"latitude", Formula::latitude},
      {"cos_latitude", Formula::cos_latitude},
      {"sin_latitude", Formula::sin_latitude},
      {"longitude", Formula::longitude},
      {"cos_longitude", Formula::cos_longitude},
      {"sin_longitude", Formula::sin_longitude},
      {"ecef_x", Formula::ecef_x},
      {"ecef_y", Formula::ecef_y},
      {"ecef_z", Formula::ecef_z},
      {"julian_day", Formula::julian_day},
      {"cos_julian_day", Formula::cos_julian_day},
      {"sin_julian_day", Formula::sin_julian_day},
      {"local_time", Formula::local_time},
      {"cos_local_time", Formula::cos_local_time},
      {"sin_local_time", Formula::sin_local_time},
      {"insolation", Formula::solar},
      {"cos_solar_zenith_angle", Formula::solar},
      {"toa_incident_solar_radiation", Formula::radiation}};
  for (const auto& [known, formula] : formulas)
    if (known == name) return formula;
  return std::nullopt;
}

struct Request {
  Formula formula;
  Duration offset;
};

// name, or name+6h, name-1d.
std::optional<Request> parse(const std::string& name) {
  const std::size_t sign = name.find_first_of("+-");
  const auto formula = formula_of(name.substr(0, sign));
  if (!formula) return std::nullopt;
  if (sign == std::string::npos) return Request{*formula, Duration::zero()};
  const char* digits = name.c_str() + sign + 1;
  char* unit = nullptr;
  const long count = std::strtol(digits, &unit, 10);
  if (unit == digits || *digits < '0' || *digits > '9' || count > 1'000'000) return std::nullopt;
  if (std::string_view(unit) != "h" && std::string_view(unit) != "d") return std::nullopt;
  const Duration offset = count * (*unit == 'h' ? Duration(3600) : Duration(86400));
  return Request{*formula, name[sign] == '-' ? -offset : offset};
}

double at_point(Formula formula, double lat, double lon, double day, double hours, const std::vector<Node>& nodes) {
  switch (formula) {
    case Formula::latitude:
      return lat;
    case Formula::cos_latitude:
      return std::cos(radians(lat));
    case Formula::sin_latitude:
    case Formula::ecef_z:
      return std::sin(radians(lat));
    case Formula::longitude:
      return lon;
    case Formula::cos_longitude:
      return std::cos(radians(lon));
    case Formula::sin_longitude:
      return std::sin(radians(lon));
    case Formula::ecef_x:
      return std::cos(radians(lat)) * std::cos(radians(lon));
    case Formula::ecef_y:
      return std::cos(radians(lat)) * std::sin(radians(lon));
    case Formula::julian_day:
      return day;
    case Formula::cos_julian_day:
      return std::cos(day / days_per_year * two_pi);
    case Formula::sin_julian_day:
      return std::sin(day / days_per_year * two_pi);
    default:
      break;
  }
  if (formula == Formula::solar || formula == Formula::radiation) {
    double sum = 0;
    for (const Node& node : nodes) {
      const double angle = radians(node.hour_angle + lon + node.sun.time_correction);
      const double cosine = std::sin(node.sun.declination) * std::sin(radians(lat)) +
                            std::cos(node.sun.declination) * std::cos(radians(lat)) * std::cos(angle);
      sum += node.weight * std::max(cosine, 0.0);
    }
    return sum;
  }
  double local = std::fmod(lon / 360 * 24 + hours, 24);
  if (local < 0) local += 24;
  if (formula == Formula::local_time) return local;
  return formula == Formula::cos_local_time ? std::cos(local / 24 * two_pi) : std::sin(local / 24 * two_pi);
}

}  // namespace

Computed::Computed(std::vector<std::string> names, std::vector<double> latitudes, std::vector<double> longitudes)
    : names_(std::move(names)), latitudes_(std::move(latitudes)), longitudes_(std::move(longitudes)) {
  for (const auto& name : names_)
    if (!known(name))
      throw UserError("no formula is known for the computed forcing '" + name + "'", "checkpoint metadata",
                      "run this checkpoint with anemoi-inference");
}

bool Computed::known(const std::string& name) { return parse(name).has_value(); }

at::Tensor Computed::operator()(Time date) const {
  const auto rows = static_cast<std::int64_t>(latitudes_.size());
  at::Tensor result = at::empty({static_cast<std::int64_t>(names_.size()), rows}, at::kFloat);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const Request request = *parse(names_[i]);
    const Time when = date + request.offset;
    std::vector<Node> nodes;
    if (request.formula == Formula::solar) nodes.emplace_back(when, 1.0);
    if (request.formula == Formula::radiation) nodes = radiation_nodes(when);
    const double day = julian_day(when), hours = hours_since_midnight(when);
    float* out = result.data_ptr<float>() + static_cast<std::int64_t>(i) * rows;
    at::parallel_for(0, rows, 4096, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const auto point = static_cast<std::size_t>(row);
        out[row] =
            static_cast<float>(at_point(request.formula, latitudes_[point], longitudes_[point], day, hours, nodes));
      }
    });
  }
  return result;
}

}  // namespace tradewind::forcings
