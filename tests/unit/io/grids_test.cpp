// Every field is held against the grid, whatever input it comes from and wherever it stands in it.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/geometry.h"
#include "worker/grib/sections.h"
#include "worker/inputs/input.h"

using namespace tradewind;
using namespace tradewind::test;

namespace {

const Time start = parse_date("2024-01-15T00:00:00");

std::string field(const std::string& name, const grib::Json& grid = grib::Json::object(), long edition = 2) {
  auto message = grib::Handle::from_sample(std::string("regular_ll_sfc_grib").append(std::to_string(edition)));
  message->set_together({{"shortName", name}, {"date", 20240115}, {"time", 0}});
  if (!grid.empty()) message->set_together(grid);
  message->set_values(std::vector<double>(496, name == "2t" ? 1 : 2));
  return message->bytes();
}

const grib::Json from_180 = {{"longitudeOfFirstGridPointInDegrees", 180}, {"longitudeOfLastGridPointInDegrees", 210}},
                 upwards = {{"latitudeOfFirstGridPointInDegrees", 0},
                            {"latitudeOfLastGridPointInDegrees", 60},
                            {"jScansPositively", 1}},
                 elsewhere = {
                     {"gridDefinitionTemplateNumber", 101}, {"numberOfDataPoints", 496}, {"numberOfGridUsed", 99}};

std::string read(dist::Communicator& communicator, const std::string& path,
                 const std::shared_ptr<inputs::ExpectedGrid>& grid = nullptr,
                 std::vector<std::string>* warnings = nullptr) {
  checkpoint::Metadata metadata;
  return error_of([&] {
    const auto input = inputs::make_input(config::GribInputConfig{path, {}}, metadata, communicator);
    if (grid) input->expect(grid);
    const at::Tensor values = input->read({"2t", "msl"}, {start}, {0, 496});
    CHECK(values[0][5][1].item<float>() == 2);
    if (warnings) *warnings = input->take_warnings();
  });
}

// Whether a flag is refused or changes where the points lie.
bool told(const grib::Handle& sample, const std::string& flag) {
  const auto points = [&](long value) {
    grib::Handle message = grib::Handle::from_bytes(sample.bytes(), "");
    message.set(flag, value);
    grib::NoPoints why;
    return grib::points_of(message, static_cast<std::size_t>(message.integer("numberOfDataPoints").value()), why);
  };
  const auto plain = points(0);
  REQUIRE(plain);
  bool differ = false;
  return error_of([&] {
           const auto turned = points(1);
           differ = !turned || turned->latitudes != plain->latitudes || turned->longitudes != plain->longitudes;
         }) != "" ||
         differ;
}

}  // namespace

TEST_CASE("one field on another grid of as many points is refused by its name and place") {
  const TemporaryFolder folder;
  const std::string path = folder / "in.grib";
  const auto communicator = dist::make_single_communicator();
  write_file(path, field("2t") + field("msl"));
  CHECK(read(*communicator, path) == "");
  write_file(path, field("2t") + field("msl", {}, 1));  // described otherwise, the same points
  CHECK(read(*communicator, path) == "");
  write_file(path, field("2t") + field("msl", from_180));
  const std::string turned = read(*communicator, path);
  CHECK(has(turned, "field msl is on another grid: its point 0 has latitude 60.000000, longitude 180.000000"));
  CHECK(has(turned, "field 2t has latitude 60.000000, longitude 0.000000"));
  CHECK(has(turned, "in.grib, message 2"));
  write_file(path, field("2t", upwards) + field("msl"));
  CHECK(has(read(*communicator, path), "field msl is on another grid"));
  tradewind::testing::run_ranks(2, [&](dist::Communicator& both) { CHECK(has(read(both, path), "field msl")); });
  write_file(path, field("2t") + field("msl", {{"iScansNegatively", 1}}));
  CHECK(read(*communicator, path) != "");
}

TEST_CASE("points in another order are refused by the flag or the first point that tells, in both editions") {
  const TemporaryFolder folder;
  const std::string path = folder / "in.grib";
  const auto communicator = dist::make_single_communicator();
  checkpoint::Metadata metadata;
  const char* flags[] = {"iScansNegatively", "jScansPositively", "jPointsAreConsecutive", "alternativeRowScanning"};
  for (const long edition : {1L, 2L}) {
    CAPTURE(edition);
    auto reduced = grib::Handle::from_sample("reduced_gg_pl_32_grib" + std::to_string(edition));
    const auto count = static_cast<std::size_t>(reduced->integer("numberOfDataPoints").value());
    reduced->set_together({{"shortName", "t"}, {"date", 20240115}, {"time", 0}});
    grib::NoPoints why;
    CHECK(grib::points_of(grib::Handle::from_bytes(reduced->bytes(), ""), count, why));
    for (const std::string flag : flags) {
      if (edition == 1 && flag == "alternativeRowScanning") continue;  // which it lacks
      CAPTURE(flag);
      grib::Handle turned = grib::Handle::from_bytes(reduced->bytes(), "r.grib");
      turned.set(flag, 1L);
      CHECK(has(error_of([&] { grib::points_of(turned, count, why); }), flag + " is 1"));
      write_file(path, turned.bytes());
      const auto input = inputs::make_input(config::GribInputConfig{path, {}}, metadata, *communicator);
      CHECK(has(error_of([&] { input->grid_points(static_cast<std::int64_t>(count)); }), flag + " is 1"));
      write_file(path, field("2t", {}, edition) + field("msl", {{flag, 1}}, edition));
      CHECK(read(*communicator, path) != "");
      CHECK(told(grib::Handle::from_sample("regular_gg_sfc_grib" + std::to_string(edition)).value(), flag));
    }
  }
}

TEST_CASE(
    "every flag of the order of points is refused or moves the points, on every grid that ecCodes has a sample of") {
  for (const char* grid : {"regular_ll_sfc", "rotated_ll_sfc", "regular_gg_sfc", "rotated_gg_sfc", "reduced_gg_pl_32",
                           "reduced_rotated_gg_sfc", "reduced_ll_sfc"})
    for (const long edition : {1L, 2L})
      for (const std::string flag :
           {"iScansNegatively", "jScansPositively", "jPointsAreConsecutive", "alternativeRowScanning"}) {
        CAPTURE(grid);
        CAPTURE(edition);
        CAPTURE(flag);
        if (edition == 1 && flag == "alternativeRowScanning") continue;  // which it lacks
        CHECK(told(grib::Handle::from_sample(std::string(grid) + "_grib" + std::to_string(edition)).value(), flag));
      }
}

TEST_CASE("rows of a reduced regular grid run as its first and last latitude say") {
  auto sample = grib::Handle::from_sample("reduced_ll_sfc_grib2");
  const auto count = static_cast<std::size_t>(sample->integer("numberOfDataPoints").value());
  grib::NoPoints why;
  const auto points = [&](double first, double last, long flag) {
    grib::Handle message = sample->clone();
    message.set_together({{"latitudeOfFirstGridPointInDegrees", first},
                          {"latitudeOfLastGridPointInDegrees", last},
                          {"jScansPositively", flag}});
    return grib::points_of(grib::Handle::from_bytes(message.bytes(), "r.grib"), count, why);
  };
  const auto southwards = points(90, -90, 0), northwards = points(-90, 90, 1);
  REQUIRE((southwards && northwards));
  CHECK(southwards->latitudes.front() == doctest::Approx(81));  // the rows next to the poles have no points
  CHECK(southwards->latitudes.back() == doctest::Approx(-78.12));
  CHECK(northwards->latitudes.front() == doctest::Approx(-81));
  CHECK(northwards->latitudes.back() == doctest::Approx(78.12));
  CHECK(has(error_of([&] { points(90, -90, 1); }), "jScansPositively is 1"));
  CHECK(has(error_of([&] { points(-90, 90, 0); }), "jScansPositively is 0"));
}

TEST_CASE("projected grids run east and north from their first point, or are refused") {
  const grib::Json common = {{"DxInMetres", 10000},
                             {"DyInMetres", 10000},
                             {"latitudeOfFirstGridPointInDegrees", 50},
                             {"longitudeOfFirstGridPointInDegrees", 5},
                             {"LaDInDegrees", 50},
                             {"shapeOfTheEarth", 6}};
  const std::map<std::string, grib::Json> projections = {
      {"lambert", {{"LoVInDegrees", 10}, {"Latin1InDegrees", 45}, {"Latin2InDegrees", 55}}},
      {"polar_stereographic", {{"orientationOfTheGridInDegrees", 10}}},
      {"mercator",
       {{"DiInMetres", 10000},
        {"DjInMetres", 10000},
        {"latitudeOfLastGridPointInDegrees", 52},
        {"longitudeOfLastGridPointInDegrees", 8}}}};
  for (const auto& [type, own] : projections) {
    CAPTURE(type);
    auto message = grib::Handle::from_sample("regular_ll_sfc_grib2");
    message->set("gridType", type);
    for (const auto& keys : {common, own})
      for (const auto& [key, value] : keys.items())
        if (type != "mercator" || !key.starts_with("Dx")) message->set_together({{key, value}});
    message->set("jScansPositively", 1L);
    const auto count = static_cast<std::size_t>(message->integer("numberOfDataPoints").value());
    REQUIRE(count == 496);
    grib::NoPoints why;
    const auto points_with = [&](const std::string& flag, long value) {
      grib::Handle turned = grib::Handle::from_bytes(message->bytes(), "p.grib");
      if (!flag.empty()) turned.set(flag, value);
      return grib::points_of(grib::Handle::from_bytes(turned.bytes(), "p.grib"), count, why);
    };
    const auto points = points_with("", 0);
    REQUIRE(points);
    CHECK(points->latitudes[0] == doctest::Approx(50));
    CHECK(points->latitudes[16] > points->latitudes[0] + 0.05);  // the next row
    CHECK(points->longitudes[1] > points->longitudes[0] + 0.05);
    for (const auto& [flag, value] : {std::pair("iScansNegatively", 1L), std::pair("jScansPositively", 0L),
                                      std::pair("jPointsAreConsecutive", 1L), std::pair("alternativeRowScanning", 1L)})
      CHECK(has(error_of([&] { points_with(flag, value); }), std::string(flag) + " is " + std::to_string(value)));
  }
}

TEST_CASE("an input of its own is held against the run's grid") {
  const TemporaryFolder folder;
  const std::string path = folder / "constants.grib";
  const auto communicator = dist::make_single_communicator();
  const auto grid_of = [&](const std::string& bytes) {
    grib::NoPoints why;
    auto points = grib::points_of(grib::Handle::from_bytes(bytes, ""), 496, why);
    return std::make_shared<inputs::ExpectedGrid>(std::make_shared<const grib::Points>(*points), "the checkpoint");
  };
  write_file(path, field("2t", from_180) + field("msl", from_180));
  CHECK(has(read(*communicator, path, grid_of(field("2t"))), "field 2t is on another grid"));
  CHECK(has(read(*communicator, path, grid_of(field("2t"))), "the checkpoint has latitude 60.000000, longitude 0"));
  CHECK(read(*communicator, path, grid_of(field("2t", from_180))) == "");
}

TEST_CASE("fields without points are taken for the run's, and that is said") {
  const TemporaryFolder folder;
  const std::string path = folder / "in.grib";
  const auto communicator = dist::make_single_communicator();
  std::vector<std::string> warnings;
  write_file(path, field("2t", elsewhere) + field("msl", elsewhere));
  CHECK(read(*communicator, path, nullptr, &warnings) == "");
  REQUIRE(warnings.size() == 1);
  CHECK(has(warnings[0], "field 2t and all on its grid: the message does not hold its points"));
  CHECK(has(warnings[0], "numberOfGridUsed 99"));
  grib::Json other = elsewhere;
  other["numberOfGridUsed"] = 100;
  write_file(path, field("2t", elsewhere) + field("msl", other));
  CHECK(has(read(*communicator, path), "are on different grids"));
}

TEST_CASE("a grid larger than the model's is refused before its points are worked out") {
  const TemporaryFolder folder;
  const std::string path = folder / "in.grib";
  checkpoint::Metadata metadata;
  metadata.grid_points = 496;
  const auto communicator = dist::make_single_communicator();
  std::string huge = field("2t");
  const std::size_t section3 = static_cast<std::size_t>(grib::grid_section(huge, "").data() - huge.data());
  const auto put = [&](std::size_t at, unsigned value) {
    for (std::size_t i = 0; i < 4; ++i) huge[at + i] = static_cast<char>(value >> (24 - 8 * i));
  };
  put(section3 + 6, 400000000);
  put(section3 + 30, 20000);
  put(section3 + 34, 20000);
  write_file(path, huge + field("2t") + field("msl"));
  const auto input = inputs::make_input(config::GribInputConfig{path, {}}, metadata, *communicator);
  CHECK(has(error_of([&] { input->grid_points(496); }), "the input has 400000000 grid points, the model has 496"));
  huge = field("2t");
  put(section3 + 30, 20000);
  write_file(path, huge + field("msl"));
  const auto contradicting = inputs::make_input(config::GribInputConfig{path, {}}, metadata, *communicator);
  CHECK(has(error_of([&] { contradicting->grid_points(496); }), "20000 columns"));
  CHECK(has(error_of([&] { contradicting->read({"2t", "msl"}, {start}, {0, 496}); }), "20000 columns"));
}

TEST_CASE("many files, links in circles and what is left out, as an input of several ranks") {
  const TemporaryFolder folder;
  write_file(folder / "in/a.grib", field("2t"));
  write_file(folder / "in/b\xff.grib", field("msl"));  // names are bytes
  write_file(folder / "in/empty.grib", "");
  std::filesystem::create_directory_symlink(folder / "in", folder / "in/loop");
  tradewind::testing::run_ranks(3, [&](dist::Communicator& communicator) {
    std::vector<std::string> warnings;
    CHECK(read(communicator, folder / "in", nullptr, &warnings) == "");
    CHECK(warnings.size() == (communicator.rank() == 0 ? 1 : 0));
  });
}
