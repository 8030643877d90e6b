#include "worker/grib/builtin.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "common/errors.h"

namespace tradewind::grib {
namespace {

Handle sample(const std::string& name) {
  if (auto handle = Handle::from_sample(name)) return std::move(*handle);
  throw EnvironmentFault("ecCodes has no sample " + name, "ECCODES_SAMPLES_PATH", "unset the variable, or repair it");
}

void set_identity(Handle& message) {
  message.set("tablesVersion", 33L);
  message.set("centre", 98L);
  message.set("subCentre", 0L);
  message.set("setLocalDefinition", 1L);
  message.set("class", std::string("od"));
  message.set("type", std::string("an"));
  message.set("stream", std::string("oper"));
  message.set("expver", std::string("0001"));
  message.set("shapeOfTheEarth", 0L);
  message.set("generatingProcessIdentifier", 255L);
}

void set_product(Handle& message, bool pressure_level) {
  message.set("productDefinitionTemplateNumber", 0L);
  if (pressure_level) {
    message.set("shortName", std::string("q"));
    message.set("typeOfLevel", std::string("isobaricInhPa"));
    message.set("level", 1000L);
  } else {
    message.set("shortName", std::string("lsm"));
    message.set("typeOfLevel", std::string("surface"));
    message.set("scaleFactorOfFirstFixedSurface", std::string("missing"));
    message.set("scaledValueOfFirstFixedSurface", std::string("missing"));
  }
  message.set("typeOfProcessedData", 255L);
}

// A field of zeros: packed in no bits at all, so the template is small and any field replaces it.
Handle finish(Handle message, std::size_t points) {
  message.set("packingType", std::string("grid_ccsds"));
  message.set("bitsPerValue", 24L);
  message.set_values(std::vector<double>(points, 0.0));
  return message;
}

std::vector<long> octahedral_counts(long n) {
  std::vector<long> counts(static_cast<std::size_t>(2 * n));
  for (long i = 0; i < n; ++i)
    counts[static_cast<std::size_t>(i)] = counts[static_cast<std::size_t>(2 * n - 1 - i)] = 20 + 4 * i;
  return counts;
}

std::vector<long> classic_counts(long n) {
  if (const auto known = Handle::from_sample("reduced_gg_pl_" + std::to_string(n) + "_grib2"))
    return known->integers("pl");
  throw UserError(
      "no builtin GRIB template for grid N" + std::to_string(n) + ": ecCodes does not know its points per parallel",
      "output.grib.templates", "give `templates: [{file: MESSAGE_ON_THIS_GRID.grib}]`");
}

void set_parallels(Handle& message, long n, long longest) {
  const std::vector<double> latitudes = gaussian_latitudes(n);
  message.set("Nj", 2 * n);
  message.set("N", n);
  message.set("latitudeOfFirstGridPointInDegrees", latitudes.front());
  message.set("latitudeOfLastGridPointInDegrees", latitudes.back());
  message.set("longitudeOfFirstGridPointInDegrees", 0.0);
  message.set("longitudeOfLastGridPointInDegrees", 360.0 - 360.0 / static_cast<double>(longest));
}

Handle reduced_gaussian(const std::vector<long>& counts, long n, bool pressure_level) {
  Handle message = sample("reduced_gg_pl_32_grib2");
  set_identity(message);
  set_parallels(message, n, *std::max_element(counts.begin(), counts.end()));
  message.set("pl", std::span<const long>(counts));
  set_product(message, pressure_level);
  return finish(std::move(message), static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0L)));
}

Handle regular_gaussian(long n, bool pressure_level) {
  Handle message = sample("regular_gg_pl_grib2");
  set_identity(message);
  set_parallels(message, n, 4 * n);
  message.set("Ni", 4 * n);
  message.set("iDirectionIncrementInDegrees", 360.0 / static_cast<double>(4 * n));
  set_product(message, pressure_level);
  return finish(std::move(message), static_cast<std::size_t>(8 * n * n));
}

long steps_between(double first, double last, double increment, const std::string& what) {
  const double steps = std::abs(last - first) / increment;
  if (std::abs(steps - std::round(steps)) > 1e-3)
    throw UserError("no builtin GRIB template: " + what + " from " + std::to_string(first) + " to " +
                        std::to_string(last) + " is no multiple of the grid's increment " + std::to_string(increment),
                    "output.grib.templates", "give `templates: [{file: MESSAGE_ON_THIS_GRID.grib}]`");
  return std::lround(steps) + 1;
}

Handle regular_lat_lon(double dx, double dy, Corners corners, bool pressure_level) {
  if (corners.last_longitude - corners.first_longitude >= 360)
    corners.last_longitude = corners.first_longitude + 360 - dx;
  const long ni = steps_between(corners.first_longitude, corners.last_longitude, dx, "the range of longitudes");
  const long nj = steps_between(corners.first_latitude, corners.last_latitude, dy, "the range of latitudes");
  Handle message = sample("regular_ll_pl_grib2");
  set_identity(message);
  message.set("Ni", ni);
  message.set("Nj", nj);
  message.set("jScansPositively", corners.last_latitude > corners.first_latitude ? 1L : 0L);
  message.set("latitudeOfFirstGridPointInDegrees", corners.first_latitude);
  message.set("longitudeOfFirstGridPointInDegrees", corners.first_longitude);
  message.set("latitudeOfLastGridPointInDegrees", corners.last_latitude);
  message.set("longitudeOfLastGridPointInDegrees", corners.last_longitude);
  message.set("iDirectionIncrementInDegrees", dx);
  message.set("jDirectionIncrementInDegrees", dy);
  set_product(message, pressure_level);
  return finish(std::move(message), static_cast<std::size_t>(ni * nj));
}

// "0.25", "0.5x0.25", "0.5/0.25", "[0.5, 0.25]"
std::optional<std::pair<double, double>> increments(std::string text) {
  for (char& c : text)
    if (std::string_view("xX/,[]").find(c) != std::string_view::npos) c = ' ';
  const char* at = text.c_str();
  char* end = nullptr;
  const double first = std::strtod(at, &end);
  if (end == at || !(first > 0)) return std::nullopt;
  at = end;
  double second = std::strtod(at, &end);
  if (end == at) second = first;
  while (*end == ' ') ++end;
  if (*end != '\0' || !(second > 0)) return std::nullopt;
  return std::pair(first, second);
}

}  // namespace

std::optional<Handle> make_builtin(const std::string& grid, bool pressure_level,
                                   const std::optional<Corners>& corners) {
  if (grid.empty()) return std::nullopt;
  const char kind = static_cast<char>(std::toupper(static_cast<unsigned char>(grid.front())));
  if (kind == 'O' || kind == 'N' || kind == 'F') {
    char* end = nullptr;
    const long n = std::strtol(grid.c_str() + 1, &end, 10);
    if (*end != '\0' || n < 1 || n > 20000) return std::nullopt;
    if (kind == 'F') return regular_gaussian(n, pressure_level);
    return reduced_gaussian(kind == 'O' ? octahedral_counts(n) : classic_counts(n), n, pressure_level);
  }
  const auto steps = increments(grid);
  if (!steps) return std::nullopt;
  return regular_lat_lon(steps->first, steps->second, corners.value_or(Corners{}), pressure_level);
}

std::string grid_name(const Handle& message) {
  const std::string type = message.text("gridType").value_or("");
  if (type == "reduced_gg" || type == "regular_gg") return message.text("gridName").value_or("");
  if (type != "regular_ll") return {};
  const auto dx = message.real("iDirectionIncrementInDegrees"), dy = message.real("jDirectionIncrementInDegrees");
  if (!dx || !dy) return {};
  return *dx == *dy ? Json(*dx).dump() : Json(*dx).dump() + "x" + Json(*dy).dump();
}

}  // namespace tradewind::grib
