// Inputs: what is refused and how it is said, the dummy's values, the same rows on every number of ranks.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <filesystem>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/inputs/dummy_input.h"
#include "worker/inputs/input.h"
#include "worker/inputs/template_source.h"

using namespace tradewind;
using namespace tradewind::test;
using std::chrono::hours;

namespace {

const Time start = parse_date("2024-01-15T00:00:00");

std::string message(const std::string& name, long date, double value = 0,
                    const grib::Json& more = grib::Json::object()) {
  grib::Json keys = {{"shortName", name}, {"date", date}, {"time", 0}};
  keys.update(more);
  return make_message(keys, std::vector<double>(5248, value)).bytes();
}

// Reads two variables at two dates; what the error says, or "".
std::string error_of(const std::string& bytes, const checkpoint::Metadata& metadata, Time date = start) {
  const TemporaryFolder folder;
  write_file(folder / "in.grib", bytes);
  const auto communicator = dist::make_single_communicator();
  try {
    inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, *communicator)
        ->read({"2t", "msl"}, {date - hours(24), date}, {0, 5248});
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("there must be exactly one field per variable and date") {
  checkpoint::Metadata metadata;
  metadata.grid_points = 5248;
  const std::string before = message("2t", 20240114) + message("msl", 20240114);
  CHECK(error_of(before + message("2t", 20240115) + message("msl", 20240115), metadata) == "");
  // fields of other names or dates do not matter, nor does how a field came to its valid time
  CHECK(error_of(before + message("2t", 20240115) + message("msl", 20240116) + message("tcc", 20240115) +
                     message("msl", 20240114, 0, {{"step", 24}, {"dataType", "fc"}}),
                 metadata) == "");
  const std::string missing = error_of(before + message("2t", 20240115) + message("sp", 20240115), metadata);
  CHECK(has(missing, "2 variables x 2 dates = 4 fields, got 3"));
  CHECK(has(missing, "\n  msl   ok                   missing"));
  CHECK_FALSE(has(missing, "\n  2t "));
  CHECK(has(missing, "other fields at these dates: sp"));
  const std::string twice =
      error_of(before + message("2t", 20240115) + message("2t", 20240115) + message("msl", 20240115), metadata);
  CHECK(has(twice, "2 fields"));
  CHECK(has(twice, "got 5"));
  const std::string late = error_of(before, metadata, start + hours(480));
  CHECK(has(late, "no field of the input is valid at 2024-02-03T00:00:00, 2024-02-04T00:00:00"));
  CHECK(has(late, "2024-01-14T00:00:00 to 2024-01-14T00:00:00"));
  metadata.grid_points = 40320;
  metadata.grid = "o96";
  const std::string grid = error_of(before + message("2t", 20240115) + message("msl", 20240115), metadata);
  CHECK(has(grid, "5248 grid points, the model 40320"));
  CHECK(has(grid, "in.grib, message 1 at byte 0"));
  CHECK(has(grid, "o96"));
  CHECK(has(error_of("", metadata), "empty"));
}

TEST_CASE(
    "a message that the model does not read need not be on its grid, nor on any; one that is out of bounds goes") {
  const auto points_with = [](const std::string& first) {
    const TemporaryFolder folder;
    checkpoint::Metadata metadata;
    metadata.input = {"msl", "2t"};
    write_file(folder / "in.grib", first + message("2t", 20240115));
    const auto communicator = dist::make_single_communicator();
    const auto input = inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, *communicator);
    const auto points = input->grid_points(5248);
    return points ? points->latitudes.size() : 0;
  };
  CHECK(points_with("") == 5248);
  CHECK(points_with(grib::Handle::from_sample("sh_ml_grib2")->bytes()) == 5248);
  std::string other = grib::Handle::from_sample("regular_ll_sfc_grib2")->bytes();
  CHECK(points_with(other) == 5248);
  // The same as 20000 x 20000 points of one value, in as few bytes.
  const auto put = [&other](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) other[at + i] = static_cast<char>(value >> (24 - 8 * i));
  };
  const auto length_at = [&other](std::size_t at) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(other[at + i]);
    return length;
  };
  for (std::size_t at = 16; other.substr(at, 4) != "7777"; at += length_at(at)) {
    if (other[at + 4] == 3) put(at + 6, 400'000'000), put(at + 30, 20'000), put(at + 34, 20'000);
    if (other[at + 4] == 5) put(at + 5, 400'000'000);
  }
  CHECK_THROWS_WITH_AS(points_with(other), doctest::Contains("a field of 400000000 grid points, more than any model"),
                       UserError);
}

TEST_CASE("only fields of one forecast, on every number of ranks") {
  const TemporaryFolder folder;
  // 2t at the 16th: forecast and analysis; msl of the forecast alone.
  write_file(folder / "in.grib", message("2t", 20240115, 1, {{"step", 24}}) + message("2t", 20240116, 2) +
                                     message("msl", 20240115, 3, {{"step", 24}}));
  checkpoint::Metadata metadata;
  metadata.grid_points = 5248;
  for (const int world_size : {1, 2, 3}) {
    CAPTURE(world_size);
    tradewind::testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
      const auto input = inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, communicator);
      const auto first = [&] { return input->read({"2t"}, {start + hours(24)}, {0, 5248})[0][0][0].item<float>(); };
      CHECK_THROWS_WITH_AS(first(), doctest::Contains("2 fields"), UserError);
      input->only_of(start);
      CHECK(first() == 1);
      CHECK(input->read({"msl"}, {start + hours(24)}, {0, 5248})[0][7][0].item<float>() == 3);
      input->only_of(start + hours(24));
      CHECK(first() == 2);
      input->only_of(start - hours(24));
      CHECK_THROWS_WITH_AS(first(), doctest::Contains("no field of the forecast of 2024-01-14T00:00:00 is valid at"),
                           UserError);
      input->only_of({});
      CHECK_THROWS_WITH_AS(first(), doctest::Contains("2 fields"), UserError);
    });
  }
}

TEST_CASE("units that are not the checkpoint's are refused by the field's name") {
  checkpoint::Metadata metadata;
  metadata.grid_points = 5248;
  const std::string bytes =
      message("2t", 20240114) + message("msl", 20240114) + message("2t", 20240115) + message("msl", 20240115);
  const auto with = [&](const std::string& name, std::optional<std::string> units) {
    metadata.variables = {};
    metadata.variables[name].units = std::move(units);
    return error_of(bytes, metadata);
  };
  CHECK(with("2t", std::nullopt) == "");
  for (const char* same : {"K", " K ", "", "unknown", "~"}) CHECK(with("2t", same) == "");
  const std::string what = with("msl", "hPa");
  CAPTURE(what);
  CHECK(has(what, "field msl is in units of Pa, the checkpoint was trained with hPa"));
  CHECK(has(what, "in.grib, message 2"));
  CHECK(has(what, "patch_metadata"));
  CHECK(has(with("2t", "degC"), "field 2t is in units of K"));
}

TEST_CASE("units are the same however they are spelt") {
  checkpoint::Metadata metadata;
  metadata.grid_points = 5248;
  const TemporaryFolder folder;
  write_file(folder / "in.grib", message("10u", 20240115) + message("lsm", 20240115));
  const auto communicator = dist::make_single_communicator();
  for (const auto& [wind, share] :
       {std::pair("m s**-1", "(0 - 1)"), std::pair("m s-1", "1"), std::pair("ms**-1", "Proportion")}) {
    metadata.variables["10u"].units = wind;
    metadata.variables["lsm"].units = share;
    CHECK_NOTHROW(inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, *communicator)
                      ->read({"10u", "lsm"}, {start}, {0, 5248}));
  }
}

TEST_CASE("a forecast starts at the latest date of what the model reads") {
  checkpoint::Metadata metadata;
  metadata.grid_points = 5248;
  metadata.input = {"2t", "msl"};
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  const auto input_of = [&](const std::string& bytes) {
    write_file(folder / "in.grib", bytes);
    return inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, *communicator);
  };
  const std::string read = message("2t", 20240115) + message("msl", 20240115);
  const auto plain = input_of(read + message("tcc", 20240114) + message("tcc", 20240115));
  CHECK(*plain->latest_date() == start);
  CHECK(plain->take_warnings().empty());
  // first, between and last in the file; as an analysis and as a step
  const std::string later = message("tcc", 20240115, 0, {{"step", 6}, {"dataType", "fc"}});
  for (const std::string& bytes :
       {later + read, read + later, message("2t", 20240115) + later + message("msl", 20240115)}) {
    const auto input = input_of(bytes);
    CHECK(*input->latest_date() == start);
    const auto warnings = input->take_warnings();
    REQUIRE(warnings.size() == 1);
    CHECK(has(warnings[0], "the forecast starts at 2024-01-15T00:00:00"));
    CHECK(has(warnings[0], "field tcc"));
    CHECK(has(warnings[0], "2024-01-15T06:00:00"));
  }
  // Of what is read the latest counts, be it alone.
  CHECK(*input_of(read + message("2t", 20240116))->latest_date() == start + hours(24));
  // Of nothing that is read the latest of all: the error then says what is missing.
  CHECK(*input_of(message("tcc", 20240116))->latest_date() == start + hours(24));
}

TEST_CASE("missing points are NaN") {
  const TemporaryFolder folder;
  checkpoint::Metadata metadata;
  std::vector<double> values(5248, 280);
  values[7] = 9999;
  write_file(
      folder / "in.grib",
      make_message({{"shortName", "2t"}, {"date", 20240115}, {"time", 0}, {"missingValue", 9999}, {"bitmapPresent", 1}},
                   values)
          .bytes());
  const auto communicator = dist::make_single_communicator();
  const auto input = inputs::make_input(config::GribInputConfig{folder / "in.grib", {}}, metadata, *communicator);
  const at::Tensor read = input->read({"2t"}, {start}, {0, 5248});
  CHECK(read.isnan().sum().item<long>() == 1);
  CHECK(read[0][7][0].isnan().item<bool>());
  CHECK(read[0][8][0].item<float>() == 280);
}

TEST_CASE("a folder is one input, its files are read in the order of their names") {
  const TemporaryFolder folder;
  checkpoint::Metadata metadata;
  metadata.dataset = "data";
  write_file(folder / "data/b.grib", message("msl", 20240115, 2));
  write_file(folder / "data/sub/a.grb2", message("2t", 20240115, 1));
  write_file(folder / "data/notes.txt", "no GRIB");
  const auto communicator = dist::make_single_communicator();
  const auto input = inputs::make_input(config::GribInputConfig{folder / "{dataset}", {}}, metadata, *communicator);
  const at::Tensor read = input->read({"2t", "msl"}, {start}, {10, 12});
  CHECK(at::equal(read, at::tensor({1.F, 2.F, 1.F, 2.F}).view({1, 2, 2})));
  CHECK(inputs::templates_of(*input, {"2t"})->messages.at("2t")().substr(0, 4) == "GRIB");
}

TEST_CASE("every number of ranks reads the same rows") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const config::GribInputConfig config{golden("gt-transformer/input.grib"), {}};
  const std::vector<Time> dates = {start - hours(6), start};
  const auto single = dist::make_single_communicator();
  const at::Tensor whole = inputs::make_input(config, metadata, *single)->read(metadata.prognostic, dates, {0, 5248});
  for (const int size : {2, 3, 7}) {
    tradewind::testing::run_ranks(size, [&](dist::Communicator& communicator) {
      const dist::RowRange rows = dist::Shards(5248, size).range(communicator.rank());
      const at::Tensor part =
          inputs::make_input(config, metadata, communicator)->read(metadata.prognostic, dates, rows);
      CHECK(at::equal(part, whole.slice(1, rows.begin, rows.end)));
    });
  }
}

TEST_CASE("the dummy input has the reference's values") {
  CHECK(inputs::float_hash("2t", parse_date("2024-01-15T06:00:00")) == 0.014194);
  CHECK(inputs::float_hash("q_700", parse_date("2023-12-31T23:45:00")) == 0.415089);
  CHECK(inputs::float_hash("lsm", parse_date("2020-06-21T12:30:00")) == 0.637228);
  checkpoint::Metadata metadata;
  metadata.grid_points = 5;
  metadata.variables["lsm"].constant_in_time = true;
  const auto communicator = dist::make_single_communicator();
  const auto dummy = inputs::make_input(config::DummyInputConfig{}, metadata, *communicator);
  const at::Tensor read = dummy->read({"2t", "lsm"}, {start, start + hours(6)}, {2, 5});
  REQUIRE(read.sizes() == at::IntArrayRef({2, 3, 2}));
  CHECK(read[1][2][0].item<float>() == 0.014194F);
  CHECK(at::equal(read[0].select(1, 1), read[1].select(1, 1)));
  CHECK_FALSE(at::equal(read[0].select(1, 0), read[1].select(1, 0)));
  CHECK(dummy->grid_points(5)->latitudes == std::vector<double>(5, 0.0));
  metadata.grid_points = 0;
  CHECK_THROWS_AS(inputs::make_input(config::DummyInputConfig{}, metadata, *communicator), UserError);
}

TEST_CASE("the empty input has no fields") {
  const checkpoint::Metadata metadata;
  const auto communicator = dist::make_single_communicator();
  const auto empty = inputs::make_input(config::EmptyInputConfig{}, metadata, *communicator);
  CHECK(empty->read({}, {start}, {0, 5}).sizes() == at::IntArrayRef({1, 5, 0}));
  CHECK_THROWS_AS(empty->read({"2t"}, {start}, {0, 5}), UserError);
}

TEST_CASE("repeated dates: what a source has at one date, for every date, on every number of ranks") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const config::RepeatedDatesConfig config{
      std::make_shared<const config::InputConfig>(config::GribInputConfig{golden("gt-transformer/input.grib"), {}}),
      start - hours(6)};
  const auto single = dist::make_single_communicator();
  const at::Tensor source =
      inputs::make_input(*config.source, metadata, *single)->read({"z", "2t"}, {start - hours(6)}, {0, 5248});
  for (const int size : {1, 3}) {
    tradewind::testing::run_ranks(size, [&](dist::Communicator& communicator) {
      const dist::RowRange rows = dist::Shards(5248, size).range(communicator.rank());
      const auto input = inputs::make_input(config, metadata, communicator);
      CHECK(input->grid_points(5248)->latitudes.size() == 5248);
      CHECK(input->has_real_grid());
      CHECK_FALSE(input->latest_date());
      const at::Tensor read = input->read({"z", "2t"}, {start, start + hours(240), start + hours(6)}, rows);
      REQUIRE(read.sizes() == at::IntArrayRef({3, rows.size(), 2}));
      for (std::int64_t date = 0; date < 3; ++date)
        CHECK(at::equal(read[date], source[0].slice(0, rows.begin, rows.end)));
      CHECK(inputs::templates_of(*input, {"2t", "tp"})->messages.size() == 1);
    });
  }
  const config::RepeatedDatesConfig elsewhen{config.source, start + hours(240)};
  const auto input = inputs::make_input(elsewhen, metadata, *single);
  CHECK(has(error_of([&] {
              input->read({"2t"}, {start}, {0, 5});
            }),
            "no field of the input is valid at 2024-01-25T00:00:00"));
}

TEST_CASE("filters behind an input: what the model needs is made of what the file has, on every number of ranks") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  config::GribInputConfig plain{golden("gt-transformer/input.grib"), {}}, filtered = plain;
  config::Rescale rescale;  // t on every level
  rescale.param = "t";
  rescale.scale = 2;
  rescale.offset = -1;
  config::Rename rename;
  rename.params = {{"msl", "pressure"}};
  config::ForwardTransform own, of_run;
  own.transform = rescale;
  filtered.pre_processors = {own};
  of_run.transform = rename;
  const std::vector<Time> dates = {start - hours(6), start};
  const auto single = dist::make_single_communicator();
  const at::Tensor source =  // filters compute in float64
      inputs::make_input(plain, metadata, *single)->read_double({"t_500", "msl", "t_850", "2t"}, dates, {0, 5248});
  for (const int size : {1, 3}) {
    tradewind::testing::run_ranks(size, [&](dist::Communicator& communicator) {
      const dist::RowRange rows = dist::Shards(5248, size).range(communicator.rank());
      const auto input = inputs::make_input(filtered, {metadata, communicator, {of_run}});
      CHECK(input->latest_date() == start);
      const at::Tensor read = input->read({"pressure", "t_850", "2t", "t_500"}, dates, rows);
      const at::Tensor part = source.slice(1, rows.begin, rows.end);
      CHECK(at::equal(read.select(2, 0), part.select(2, 1).to(at::kFloat)));
      CHECK(at::equal(read.select(2, 1), (part.select(2, 2) * 2 - 1).to(at::kFloat)));
      CHECK(at::equal(read.select(2, 2), part.select(2, 3).to(at::kFloat)));
      CHECK(at::equal(read.select(2, 3), (part.select(2, 0) * 2 - 1).to(at::kFloat)));
      const auto templates = inputs::templates_of(*input, {"pressure", "t_500", "tp"});
      CHECK(templates->messages.size() == 2);
      CHECK(templates->messages.contains("pressure"));
    });
  }
  const auto without = inputs::make_input(plain, {metadata, *single, {of_run}});
  CHECK(has(error_of([&] {
              without->read({"msl"}, {start}, {0, 5248});
            }),
            "one field per variable and date:\n  msl  2024-01-15T00:00:00  missing"));
}

TEST_CASE("filters behind an input see what is not read, the first mask there is, and float64") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  config::GribInputConfig config{golden("gt-transformer/input.grib"), {}};
  const std::vector<Time> dates = {start - hours(6), start};
  const auto single = dist::make_single_communicator();
  const auto plain = inputs::make_input(config, metadata, *single);
  const at::Tensor doubles = plain->read_double({"2t", "lsm", "msl"}, dates, {0, 5248});
  config::ForwardTransform rescale, mask;
  config::Rescale of_temperature;
  of_temperature.param = "2t";
  of_temperature.scale = 0.1;
  of_temperature.offset = -27.3;
  rescale.transform = of_temperature;
  config::ApplyMask where_land;
  where_land.field = "lsm";
  where_land.threshold = 0.5;
  where_land.params = {"2t"};
  mask.transform = where_land;
  for (const int size : {1, 3}) {
    tradewind::testing::run_ranks(size, [&](dist::Communicator& communicator) {
      const dist::RowRange rows = dist::Shards(5248, size).range(communicator.rank());
      const auto input =
          inputs::make_input(config, {metadata, communicator, {mask, rescale, config::NoMissingValues{}}});
      const at::Tensor read = input->read({"msl", "2t"}, dates, rows);
      const at::Tensor land = doubles[0].select(1, 1) > 0.5;  // of the first message for both dates
      for (const std::int64_t date : {0, 1}) {
        const at::Tensor scaled = doubles[date].select(1, 0) * 0.1 - 27.3, sea = at::logical_not(land);
        const at::Tensor expected = at::where(land, scaled.masked_select(sea).mean(), scaled).to(at::kFloat);
        CHECK(at::equal(read[date].select(1, 1), expected.slice(0, rows.begin, rows.end)));
        CHECK(at::equal(read[date].select(1, 0),
                        doubles[date].select(1, 2).to(at::kFloat).slice(0, rows.begin, rows.end)));
      }
      CHECK(input->take_warnings().empty());
    });
  }
  const auto without_mask = inputs::make_input(config, {metadata, *single, {mask}});
  CHECK(has(error_of([&] { without_mask->read({"lsm"}, {start}, {0, 5248}); }), "lsm  2024-01-15T00:00:00  missing"));
  config::Rename twice;
  twice.params = {{"msl", "2t"}};
  rescale.transform = twice;
  const auto two = inputs::make_input(config, {metadata, *single, {rescale}});
  CHECK(has(error_of([&] { two->read({"2t"}, {start}, {0, 5248}); }), "2t  2024-01-15T00:00:00  2 fields"));
  twice.params = {{"nothing", "sp"}};
  rescale.transform = twice;
  rescale.at = {"pre_processors.0.forward_transform_filter", "config.yaml:3:1"};
  const auto idle = inputs::make_input(config, {metadata, *single, {rescale}});
  idle->read({"msl"}, {start}, {0, 5248});
  const auto warnings = idle->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(has(warnings[0], "config.yaml:3:1: `pre_processors.0.forward_transform_filter` changes nothing"));
  CHECK(idle->take_warnings().empty());
}
