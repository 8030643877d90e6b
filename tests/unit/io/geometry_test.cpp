// Geometry that contradicts itself is refused by name, before anything of its size is allocated.
#include "worker/grib/geometry.h"

#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/sections.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;

namespace {

std::string refusal(const Handle& message, std::size_t count) {
  return error_of([&] {
    NoPoints why;
    points_of(message, count, why);
  });
}

Handle regular(long edition = 2) {
  return std::move(*Handle::from_sample("regular_ll_sfc_grib" + std::to_string(edition)));
}

// The message with four octets of its section 3 changed, as a damaged or forged file has them.
Handle with_number(const Handle& message, std::size_t octet, std::uint32_t value) {
  std::string bytes = message.bytes();
  const std::size_t at = static_cast<std::size_t>(grid_section(bytes, "").data() - bytes.data()) + octet - 1;
  for (int i = 0; i < 4; ++i) bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i));
  return Handle::from_bytes(bytes, "in.grib, message 7");
}

}  // namespace

TEST_CASE("the points of a message are those of its grid, in its order") {
  NoPoints why;
  const auto points = points_of(regular(), 496, why);
  REQUIRE(points);
  CHECK(points->latitudes.front() == 60);
  CHECK(points->longitudes.front() == 0);
  CHECK(points->latitudes.back() == 0);
  CHECK(points->longitudes.back() == 30);
  CHECK(points_of(make_message({{"shortName", "2t"}}), 5248, why)->latitudes.size() == 5248);
}

TEST_CASE("numbers of points that contradict one another") {
  // octets of template 3.0: 7 points, 31 Ni, 35 Nj
  CHECK(has(refusal(with_number(regular(), 31, 20000), 496), "20000 columns and 31 rows"));
  CHECK(has(refusal(with_number(regular(), 35, 4000000000), 496), "rows"));
  CHECK(has(refusal(with_number(regular(), 7, 5248), 5248), "in.grib, message 7"));
  CHECK(has(refusal(with_number(regular(), 7, 400000000), 496), "496"));
  CHECK(has(refusal(with_number(regular(), 7, 0), 496), "it has 0 points"));
  const Handle reduced = make_message({{"shortName", "2t"}});
  CHECK(has(refusal(with_number(reduced, 7, 6000), 6000), "6000 points, but its parallels have 5248"));
  CHECK(has(refusal(with_number(reduced, 7, 5000), 5000), "in.grib, message 7"));
}

TEST_CASE("places that are on no globe") {
  // octets of template 3.0: 47 first latitude, 51 first longitude, 56 last latitude, in millionths of a degree
  CHECK(refusal(with_number(with_number(regular(), 47, 120000000), 56, 60000000), 496) != "");
  CHECK(refusal(with_number(regular(), 51, 2000000000), 496) != "");
  CHECK(refusal(with_number(make_message({{"shortName", "2t"}}), 47, 170000000), 5248) != "");
}

TEST_CASE("spectral coefficients are no points; a message may leave its points to a file elsewhere") {
  const auto spectral = Handle::from_sample("sh_ml_grib2");
  REQUIRE(spectral);
  CHECK(has(refusal(*spectral, 496), "spectral coefficients"));
  Handle without = regular();
  without.set("gridDefinitionTemplateNumber", 101L);
  without.set("numberOfDataPoints", 496L);
  NoPoints why;
  CHECK_FALSE(points_of(without, 496, why));
  CHECK(why.by_design);
  CHECK(has(why.why, "does not hold its points"));
}

TEST_CASE("points a whole turn apart are the same, others are not") {
  const Points wanted{{50, 50, -50}, {180, 190, 0}};
  CHECK_FALSE(fields::first_difference({{50, 50, -50}, {-180, -170, 360}}, wanted, fields::all_close));
  CHECK(fields::first_difference({{50, 50, -50}, {-180, -171, 360}}, wanted, fields::all_close) == 1);
  CHECK(fields::first_difference({{50, 50, 50}, {180, 190, 0}}, wanted, fields::all_close) == 2);
  CHECK(fields::first_difference({{50, 50}, {180, 190}}, wanted, fields::all_close) == 2);
}
