#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "common/checkpoint/computed_forcing.h"
#include "common/errors.h"
#include "worker/forcings/computed.h"

using tradewind::Time;
using tradewind::forcings::Computed;

namespace {

const std::vector<double> latitudes = {89.5, 52.3, 10.0, 0.0, -33.25, -75.0};
const std::vector<double> longitudes = {0.0, 13.4, 359.5, 123.456, 200.0, 301.7};

struct Expected {
  const char* name;
  long date;  // seconds since 1970
  std::array<float, 6> values;
};

// What anemoi-inference 0.13 with earthkit-data 0.20 gives at these points.
// clang-format off
const std::vector<Expected> reference = {
      {"latitude", 1705298400, {89.5, 52.2999992, 10, 0, -33.25, -75}},
      {"cos_latitude", 1705298400, {0.00872653536, 0.611527026, 0.98480773, 1, 0.836286128, 0.258819044}},
      {"sin_latitude", 1705298400, {0.999961913, 0.791223526, 0.173648179, 0, -0.548293233, -0.965925813}},
      {"longitude", 1705298400, {0, 13.3999996, 359.5, 123.456001, 200, 301.700012}},
      {"cos_longitude", 1705298400, {1, 0.972775877, 0.999961913, -0.551296473, -0.939692616, 0.525471628}},
      {"sin_longitude", 1705298400, {0, 0.23174791, -0.00872653536, 0.834309459, -0.342020154, -0.850811124}},
      {"ecef_x", 1705298400, {0.00872653536, 0.594878733, 0.984770238, -0.551296473, -0.785851955, 0.136002064}},
      {"ecef_y", 1705298400, {0, 0.141720116, -0.00859395973, 0.834309459, -0.286026716, -0.220206112}},
      {"ecef_z", 1705298400, {0.999961913, 0.791223526, 0.173648179, 0, -0.548293233, -0.965925813}},
      {"julian_day", 1705298400, {14.25, 14.25, 14.25, 14.25, 14.25, 14.25}},
      {"cos_julian_day", 1705298400, {0.970104694, 0.970104694, 0.970104694, 0.970104694, 0.970104694, 0.970104694}},
      {"sin_julian_day", 1705298400, {0.242686838, 0.242686838, 0.242686838, 0.242686838, 0.242686838, 0.242686838}},
      {"local_time", 1705298400, {6, 6.89333344, 5.9666667, 14.2304001, 19.333334, 2.11333323}},
      {"cos_local_time", 1705298400, {6.12323426e-17, -0.23174791, 0.00872653536, -0.834309459, 0.342020154, 0.850811124}},
      {"sin_local_time", 1705298400, {1, 0.972775877, 0.999961913, -0.551296473, -0.939692616, 0.525471628}},
      {"insolation", 1705298400, {0, 0, 0, 0.796663105, 0, 0.13983798}},
      {"cos_solar_zenith_angle", 1705298400, {0, 0, 0, 0.796663105, 0, 0.13983798}},
      {"toa_incident_solar_radiation", 1705298400, {0, 0, 0, 4273079, 404656.219, 646886.438}},
      {"insolation+6h", 1705298400, {0, 0.273412257, 0.854481936, 0, 0, 0.467895985}},
      {"cos_julian_day-1d", 1705298400, {0.974135756, 0.974135756, 0.974135756, 0.974135756, 0.974135756, 0.974135756}},
      {"toa_incident_solar_radiation-12h", 1705298400, {0, 0, 542604.375, 0, 1709487.5, 2893831.75}},
      {"julian_day", 1704066300, {364.989594, 364.989594, 364.989594, 364.989594, 364.989594, 364.989594}},
      {"cos_julian_day", 1704066300, {0.999989986, 0.999989986, 0.999989986, 0.999989986, 0.999989986, 0.999989986}},
      {"sin_julian_day", 1704066300, {-0.00447978312, -0.00447978312, -0.00447978312, -0.00447978312, -0.00447978312, -0.00447978312}},
      {"local_time", 1704066300, {23.75, 0.643333316, 23.7166672, 7.98040009, 13.083333, 19.8633327}},
      {"cos_local_time", 1704066300, {0.997858942, 0.985850155, 0.997250199, -0.495549619, -0.960049868, 0.468700856}},
      {"sin_local_time", 1704066300, {-0.0654031262, 0.167629123, -0.0741084889, 0.868579626, -0.279829025, -0.883356929}},
      {"insolation", 1704066300, {0, 0, 0, 0.280607045, 0.982113183, 0.312983811}},
      {"cos_solar_zenith_angle", 1704066300, {0, 0, 0, 0.280607045, 0.982113183, 0.312983811}},
      {"toa_incident_solar_radiation", 1704066300, {0, 0, 0, 1815297.75, 4892162, 1478445.12}},
      {"insolation+6h", 1704066300, {0, 0, 0, 0.876652002, 0.157597229, 0.149036244}},
      {"cos_julian_day-1d", 1704066300, {0.999764979, 0.999764979, 0.999764979, 0.999764979, 0.999764979, 0.999764979}},
      {"toa_incident_solar_radiation-12h", 1704066300, {0, 1246922.62, 4120440.5, 0, 0, 2354797}},
      {"julian_day", 1592742600, {172.520828, 172.520828, 172.520828, 172.520828, 172.520828, 172.520828}},
      {"cos_julian_day", 1592742600, {-0.984931946, -0.984931946, -0.984931946, -0.984931946, -0.984931946, -0.984931946}},
      {"sin_julian_day", 1592742600, {0.172942251, 0.172942251, 0.172942251, 0.172942251, 0.172942251, 0.172942251}},
      {"local_time", 1592742600, {12.5, 13.3933334, 12.4666662, 20.7304001, 1.83333337, 8.6133337}},
      {"cos_local_time", 1592742600, {-0.991444886, -0.934204459, -0.992546141, 0.655479252, 0.887010813, -0.632029295}},
      {"sin_local_time", 1592742600, {-0.130526185, -0.356738001, -0.121869341, -0.755213201, 0.4617486, 0.774944484}},
      {"insolation", 1592742600, {0.40601939, 0.861569643, 0.97243917, 0, 0, 0}},
      {"cos_solar_zenith_angle", 1592742600, {0.40601939, 0.861569643, 0.97243917, 0, 0, 0}},
      {"toa_incident_solar_radiation", 1592742600, {1920384, 4075038.25, 4599427, 0, 0, 0}},
      {"insolation+6h", 1592742600, {0.398058832, 0.188936293, 0.0836613551, 0, 0.038841676, 0}},
      {"cos_julian_day-1d", 1592742600, {-0.981811345, -0.981811345, -0.981811345, -0.981811345, -0.981811345, -0.981811345}},
      {"toa_incident_solar_radiation-12h", 1592742600, {1844793.12, 0, 0, 2368018.25, 2385861.75, 0}},
};
// clang-format on

}  // namespace

TEST_CASE("computed forcings have the reference's values") {
  for (const auto& expected : reference) {
    CAPTURE(expected.name);
    CAPTURE(expected.date);
    const Computed forcings({expected.name}, latitudes, longitudes);
    const at::Tensor values = forcings(Time(std::chrono::seconds(expected.date)));
    REQUIRE(values.sizes() == at::IntArrayRef({1, 6}));
    for (std::int64_t i = 0; i < 6; ++i) {
      const float want = expected.values[static_cast<std::size_t>(i)];
      CHECK(values[0][i].item<float>() == doctest::Approx(want).epsilon(2e-7).scale(std::abs(want) > 1 ? 0 : 1));
    }
  }
}

TEST_CASE("the minutes of the date do not move the sun") {
  const Computed forcings({"insolation", "local_time"}, latitudes, longitudes);
  const Time noon{std::chrono::seconds(1592740800)};
  const at::Tensor at_noon = forcings(noon), later = forcings(noon + std::chrono::minutes(59));
  // only the declination moves on, by less than a hundredth of a degree; local time counts the minutes
  CHECK((at_noon[0] - later[0]).abs().max().item<float>() < 1e-4);
  CHECK((later[1] - at_noon[1]).abs().min().item<float>() > 0.9);
}

TEST_CASE("rows are independent of one another and names keep their order") {
  const Computed all({"sin_longitude", "insolation"}, latitudes, longitudes);
  const Computed part({"insolation"}, {latitudes[2], latitudes[3]}, {longitudes[2], longitudes[3]});
  const Time date{std::chrono::seconds(1705298400)};
  CHECK(at::equal(all(date)[1].slice(0, 2, 4), part(date)[0]));
  CHECK(all.names() == std::vector<std::string>{"sin_longitude", "insolation"});
}

TEST_CASE("a name without a formula is refused by name") {
  CHECK(tradewind::checkpoint::computed_forcing("insolation+12h"));
  CHECK(tradewind::checkpoint::computed_forcing("cos_julian_day-1d"));
  for (const char* name : {"ozone", "insolation+", "insolation+h", "insolation+6m", "insolation+6hh", ""}) {
    CAPTURE(name);
    CHECK_FALSE(tradewind::checkpoint::computed_forcing(name));
    CHECK_THROWS_AS(Computed({name}, latitudes, longitudes), tradewind::UserError);
  }
}
