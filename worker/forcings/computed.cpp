#include "worker/forcings/computed.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "common/errors.h"

namespace tradewind::forcings {
namespace {

using checkpoint::Formula;

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

// A moment at which the cosine of the solar zenith angle is wanted, and with which weight. At a point it is
// up sin phi + cos phi (noon cos lambda + evening sin lambda).
struct SunAngle {
  double up, noon, evening, weight;
  // Of the time of day only the hour counts: the reference drops the minutes.
  SunAngle(Time date, double its_weight) : weight(its_weight) {
    const Sun sun(date);
    const double hour_angle = radians((civil(date).hour - 12) * 15.0 + sun.time_correction);  // at longitude 0
    up = std::sin(sun.declination);
    noon = std::cos(sun.declination) * std::cos(hour_angle);
    evening = -std::cos(sun.declination) * std::sin(hour_angle);
  }
};

// One hour around the date in two half hours of three Gauss points each. The reference's points lie at sqrt(5/9) of a
// half interval (textbooks: sqrt(3/5)); whole seconds count.
std::vector<SunAngle> radiation_angles(Time date) {
  std::vector<SunAngle> angles;
  const double outer = std::sqrt(5.0 / 9);
  const Time begin = date - std::chrono::minutes(30);
  for (const double middle : {0.25, 0.75})
    for (const auto& [offset, weight] :
         {std::pair(-outer, 5.0 / 9), std::pair(0.0, 8.0 / 9), std::pair(outer, 5.0 / 9)}) {
      const Time at = begin + Duration(static_cast<long>(std::floor((middle + 0.25 * offset) * 3600)));
      const double distance = std::cos(julian_day(at) / days_per_year * two_pi) * 165120 + 4892416;  // J/m2 in an hour
      angles.emplace_back(at, 0.25 * weight * distance);
    }
  return angles;
}

// What a formula needs of the points beside the sines and cosines.
bool needs_degrees(Formula formula) {
  return formula == Formula::latitude || formula == Formula::longitude || formula == Formula::local_time;
}

// out = of(row) on all threads; the loop inside has no calls but those of `of`, so that it can go by vectors.
template <typename Function>
void fill(float* out, std::int64_t rows, const Function& of) {
  at::parallel_for(0, rows, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) out[row] = static_cast<float>(of(static_cast<std::size_t>(row)));
  });
}

}  // namespace

Computed::Computed(std::vector<std::string> names, std::vector<double> latitudes, std::vector<double> longitudes)
    : names_(std::move(names)), rows_(static_cast<std::int64_t>(latitudes.size())) {
  bool degrees = false;
  for (const auto& name : names_) {
    const auto request = checkpoint::computed_forcing(name);
    if (!request)
      throw UserError("no formula is known for the computed forcing '" + name + "'", "checkpoint metadata",
                      "run this checkpoint with anemoi-inference");
    degrees = degrees || needs_degrees(request->formula);
  }
  const auto of_each = [](const std::vector<double>& angles, double (*function)(double)) {
    std::vector<double> values(angles.size());
    at::parallel_for(0, static_cast<std::int64_t>(angles.size()), 1024, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        values[i] = function(radians(angles[i]));
    });
    return values;
  };
  sin_lat_ = of_each(latitudes, std::sin);
  cos_lat_ = of_each(latitudes, std::cos);
  sin_lon_ = of_each(longitudes, std::sin);
  cos_lon_ = of_each(longitudes, std::cos);
  if (!degrees) return;
  latitudes_ = std::move(latitudes);
  longitudes_ = std::move(longitudes);
}

void Computed::of_formula(Formula formula, Time date, float* out) const {
  const double day = julian_day(date), hours = hours_since_midnight(date);
  const double season = day / days_per_year * two_pi, turn = hours / 24 * two_pi;
  const double cos_turn = std::cos(turn), sin_turn = std::sin(turn);
  const double *sin_lat = sin_lat_.data(), *cos_lat = cos_lat_.data();
  const double *sin_lon = sin_lon_.data(), *cos_lon = cos_lon_.data();
  const auto sun_of = [&](const std::vector<SunAngle>& angles) {
    fill(out, rows_, [&](std::size_t i) {
      double sum = 0;
      for (const SunAngle& angle : angles) {
        const double cosine =
            angle.up * sin_lat[i] + cos_lat[i] * (angle.noon * cos_lon[i] + angle.evening * sin_lon[i]);
        sum += angle.weight * std::max(cosine, 0.0);
      }
      return sum;
    });
  };
  switch (formula) {
    case Formula::latitude:
      return fill(out, rows_, [&](std::size_t i) { return latitudes_[i]; });
    case Formula::cos_latitude:
      return fill(out, rows_, [&](std::size_t i) { return cos_lat[i]; });
    case Formula::sin_latitude:
    case Formula::ecef_z:
      return fill(out, rows_, [&](std::size_t i) { return sin_lat[i]; });
    case Formula::longitude:
      return fill(out, rows_, [&](std::size_t i) { return longitudes_[i]; });
    case Formula::cos_longitude:
      return fill(out, rows_, [&](std::size_t i) { return cos_lon[i]; });
    case Formula::sin_longitude:
      return fill(out, rows_, [&](std::size_t i) { return sin_lon[i]; });
    case Formula::ecef_x:
      return fill(out, rows_, [&](std::size_t i) { return cos_lat[i] * cos_lon[i]; });
    case Formula::ecef_y:
      return fill(out, rows_, [&](std::size_t i) { return cos_lat[i] * sin_lon[i]; });
    case Formula::julian_day:
      return fill(out, rows_, [&](std::size_t) { return day; });
    case Formula::cos_julian_day:
      return fill(out, rows_, [value = std::cos(season)](std::size_t) { return value; });
    case Formula::sin_julian_day:
      return fill(out, rows_, [value = std::sin(season)](std::size_t) { return value; });
    case Formula::local_time:
      return fill(out, rows_, [&](std::size_t i) {
        const double local = std::fmod(longitudes_[i] / 360 * 24 + hours, 24);
        return local < 0 ? local + 24 : local;
      });
    case Formula::cos_local_time:  // 2 pi local / 24 is lambda and the turn since midnight
      return fill(out, rows_, [&](std::size_t i) { return cos_lon[i] * cos_turn - sin_lon[i] * sin_turn; });
    case Formula::sin_local_time:
      return fill(out, rows_, [&](std::size_t i) { return sin_lon[i] * cos_turn + cos_lon[i] * sin_turn; });
    case Formula::solar:
      return sun_of({SunAngle(date, 1.0)});
    case Formula::radiation:
      return sun_of(radiation_angles(date));
  }
}

at::Tensor Computed::operator()(Time date) const {
  at::Tensor result = at::empty({static_cast<std::int64_t>(names_.size()), rows_}, at::kFloat);
  auto* out = result.mutable_data_ptr<float>();
  for (const std::string& name : names_) {
    const auto request = *checkpoint::computed_forcing(name);
    of_formula(request.formula, date + request.offset, out);
    out += rows_;
  }
  return result;
}

}  // namespace tradewind::forcings
