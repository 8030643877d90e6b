// Templates, and keys of the config, that describe another grid than the forecast's are found before its first step.
#include "tests/unit/io/output_case.h"
#include "worker/grib/geometry.h"

using namespace tradewind;
using namespace tradewind::test;

namespace {

constexpr std::int64_t some_points = 496;  // of the sample: 16 columns, 31 rows

grib::Handle sample(const grib::Json& keys = grib::Json::object(), long edition = 2) {
  grib::Handle message = *grib::Handle::from_sample("regular_ll_sfc_grib" + std::to_string(edition));
  message.set_together({{"shortName", "2t"}, {"date", 20240115}, {"time", 0}});
  if (!keys.empty()) message.set_together(keys);
  return message;
}

// What keeps the output from a forecast of two variables on the sample's grid; its templates are this file's messages.
std::string refused(const std::string& bytes, dist::Communicator& communicator, const std::string& mode = "first",
                    const grib::Json& encoding = grib::Json::object()) {
  const TemporaryFolder folder;
  write_file(folder / "t.grib", bytes);
  auto metadata = some_metadata();
  metadata.grid.clear();
  metadata.grid_points = some_points;
  auto config = to(folder / "o.grib");
  config.templates = {config::FileTemplates{.path = folder / "t.grib", .mode = mode, .variables = {}}};
  config.encoding = encoding;
  grib::NoPoints why;
  const auto all = grib::points_of(sample(), some_points, why);
  const dist::Shards shards(some_points, communicator.size());
  Outlook outlook = outlook_of({6, 12});
  const dist::RowRange rows = shards.range(communicator.rank());
  for (State* state : {&outlook.initial, &outlook.forecast}) {
    state->variables = {"2t", "msl"};
    state->grid = std::make_shared<const fields::Grid>(
        fields::Grid{fields::Rows(shards), std::make_shared<const fields::Points>(all->slice(rows.begin, rows.end))});
  }
  return error_of([&] { make_output(config, context_of(metadata), communicator)->prepare(outlook); });
}

std::string refused(const grib::Handle& message, const grib::Json& encoding = grib::Json::object()) {
  return refused(message.bytes(), *dist::make_single_communicator(), "first", encoding);
}

const grib::Json from_180 = {{"longitudeOfFirstGridPointInDegrees", 180}, {"longitudeOfLastGridPointInDegrees", 210}},
                 upwards = {{"latitudeOfFirstGridPointInDegrees", 0},
                            {"latitudeOfLastGridPointInDegrees", 60},
                            {"jScansPositively", 1}};

}  // namespace

TEST_CASE("a template on another grid of as many points is found before the first step, by name") {
  CHECK(refused(sample()) == "");
  CHECK(refused(sample({}, 1)) == "");  // described otherwise, the same points
  CHECK(refused(sample({{"bitmapPresent", 1}})) == "");
  const std::string turned = refused(sample(from_180));
  CAPTURE(turned);
  CHECK(has(turned,
            "is on another grid: with the keys of the config its point 0 has latitude 60.000000, longitude "
            "180.000000, the forecast's has latitude 60.000000, longitude 0.000000"));
  CHECK(has(turned, "t.grib, message 1"));
  CHECK(has(refused(sample(upwards)), "is on another grid"));
  CHECK(has(refused(sample({{"iScansNegatively", 1}})), "t.grib, message 1"));
  CHECK(has(refused(sample({{"Ni", 31}, {"Nj", 16}})), "t.grib, message 1"));
}

TEST_CASE("a template of another number of points, or of none, is found before the first step") {
  CHECK(has(refused(make_message({{"shortName", "2t"}})), "the template has 5248 grid points, the field 496"));
  const auto spectral = grib::Handle::from_sample("sh_sfc_grib2");
  REQUIRE(spectral);
  const std::string what = refused(*spectral);
  CAPTURE(what);
  CHECK(has(what, "t.grib, message 1"));
  CHECK(has(refused("", *dist::make_single_communicator()), "the GRIB template file is empty"));
  CHECK(has(refused("no GRIB at all", *dist::make_single_communicator()), "t.grib"));
}

TEST_CASE("keys of the config that turn the grid are found before the first step") {
  CHECK(refused(sample(), {{"subCentre", 98}}) == "");
  CHECK(has(refused(sample(), upwards), "is on another grid"));
  CHECK(has(refused(sample(), from_180), "is on another grid"));
}

TEST_CASE("of several templates the one on another grid is found, whichever rank has the points that differ") {
  // Only the last rows differ.
  const grib::Handle tail = sample({{"latitudeOfLastGridPointInDegrees", 15}, {"jDirectionIncrementInDegrees", 1.5}});
  grib::Handle other = tail.clone();
  other.set_together({{"shortName", "msl"}});
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    tradewind::testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
      CHECK(refused(sample().bytes() + sample({{"shortName", "msl"}}).bytes(), communicator, "auto") == "");
    });
    std::atomic<int> found = 0;
    tradewind::testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
      if (has(refused(sample().bytes() + other.bytes(), communicator, "auto"), "the template for msl")) ++found;
    });
    CHECK(found > 0);
  }
}
