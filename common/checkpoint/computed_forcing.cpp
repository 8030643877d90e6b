#include "common/checkpoint/computed_forcing.h"

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace tradewind::checkpoint {
namespace {

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

}  // namespace

std::optional<ComputedForcing> computed_forcing(const std::string& name) {
  const std::size_t sign = name.find_first_of("+-");
  const auto formula = formula_of(name.substr(0, sign));
  if (!formula) return std::nullopt;
  if (sign == std::string::npos) return ComputedForcing{*formula, Duration::zero()};
  const char* digits = name.c_str() + sign + 1;
  char* unit = nullptr;
  const long count = std::strtol(digits, &unit, 10);
  if (unit == digits || *digits < '0' || *digits > '9' || count > 1'000'000) return std::nullopt;
  if (std::string_view(unit) != "h" && std::string_view(unit) != "d") return std::nullopt;
  const Duration offset = count * (*unit == 'h' ? Duration(3600) : Duration(86400));
  return ComputedForcing{*formula, name[sign] == '-' ? -offset : offset};
}

}  // namespace tradewind::checkpoint
