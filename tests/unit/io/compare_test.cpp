#include "worker/compare/compare.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <tuple>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/compare/scores.h"

using namespace tradewind;
using namespace tradewind::compare;
using namespace tradewind::test;
using Json = nlohmann::ordered_json;

namespace {

Json compared(CompareOptions options, int expected_code) {
  options.json = true;
  std::ostringstream out;
  CHECK(run_compare(options, out) == expected_code);
  return Json::parse(out.str());
}

grib::Json temperature(long step) {
  return {{"shortName", "2t"}, {"dataType", "fc"}, {"date", 20240115}, {"time", 0}, {"step", step}};
}

std::vector<double> wave(double amplitude) {
  std::vector<double> values(5248);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 280 + amplitude * std::sin(0.01 * static_cast<double>(i));
  return values;
}

}  // namespace

TEST_CASE("the scores of the Rossby-Haurwitz forecast are those of its verification") {
  std::ifstream file(golden("../../examples/rossby-haurwitz/verify.json"));
  const Json verify = Json::parse(file)["scores"];
  const Json report = compared(
      {.got = golden("../../examples/rossby-haurwitz/reference.grib"),
       .wanted = golden("../../examples/rossby-haurwitz/truth.grib"),
       .scores_only = true,
       .steps = {std::chrono::hours(24), std::chrono::hours(72), std::chrono::hours(120), std::chrono::hours(240)},
       .persistence = golden("../../examples/rossby-haurwitz/input.grib")},
      0);
  REQUIRE(report["fields"].size() == 12);
  for (const Json& field : report["fields"]) {
    const Json& want = verify["day" + std::to_string(field["step"].get<int>() / 24)][field["field"].get<std::string>()];
    CAPTURE(field.dump());
    CHECK(field["rmse"].get<double>() == doctest::Approx(want["rmse_model"].get<double>()).epsilon(0.01));
    CHECK(field["rmse_persistence"].get<double>() ==
          doctest::Approx(want["rmse_persistence"].get<double>()).epsilon(0.01));
    CHECK(field["bias"].get<double>() == doctest::Approx(want["bias_model"].get<double>()).epsilon(0.01));
    CHECK(field["acc"].get<double>() == doctest::Approx(want["acc_model"].get<double>()).epsilon(0.01));
    CHECK(field["acc_persistence"].get<double>() ==
          doctest::Approx(want["acc_persistence"].get<double>()).epsilon(0.01));
    CHECK(field["rms_anomaly"].get<double>() == doctest::Approx(want["rms_wave"].get<double>()).epsilon(0.01));
  }
}

TEST_CASE("a file is itself, and not the forecast in another precision") {
  const std::string reference = golden("gt-transformer/reference.grib");
  const Json same = compared({.got = reference, .wanted = reference}, 0);
  CHECK(same["worst_over_std"] == 0);
  CHECK(same["fields"].size() == 90);
  const Json other = compared({.got = golden("gt-transformer/reference-bf16.grib"), .wanted = reference}, 1);
  CHECK(other["worst_over_std"].get<double>() == doctest::Approx(0.1077).epsilon(0.01));  // case.json: vs_f32
  CHECK(other["faults"].dump().find("missing: 10u step 30h") != std::string::npos);
}

TEST_CASE("differences within the tolerance pass, others do not") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, double change) {
    std::vector<double> values = wave(10);
    values[77] += change;
    grib::Json keys = temperature(6);
    keys["bitsPerValue"] = 24;
    write_file(folder / name, make_message(keys, values).bytes());
    return folder / name;
  };
  const std::string truth = write("b.grib", 0);
  compared({.got = write("close.grib", 5e-4), .wanted = truth}, 0);  // 7e-5 of 7.07
  compared({.got = write("far.grib", 5e-3), .wanted = truth}, 1);
  compared({.got = folder / "far.grib", .wanted = truth, .tolerance = 1e-3}, 0);
}

TEST_CASE("a difference that the packing makes passes, a larger one does not") {
  const TemporaryFolder folder;
  // 8 bits for values from 0 to 20: packed values are minimum + k / 8, with k up to 160.
  const auto write = [&](const std::string& name, double minimum, double value, const std::string& packing) {
    std::vector<double> values(5248);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = minimum + static_cast<double>(i % 160) / 8;
    values[77] = value;
    grib::Json keys = temperature(6);
    keys["packingType"] = packing;
    if (packing == "grid_simple") keys["bitsPerValue"] = 8;
    write_file(folder / name, make_message(keys, values).bytes());
    return folder / name;
  };
  const std::string reference = write("b.grib", 0, 9.624, "grid_simple");
  CHECK(read_messages(reference).front().real("binaryScaleFactor") == -3);
  CHECK(read_messages(reference).front().values_double()[77] == 9.625);
  const auto compare_with = [&](double minimum, double value, int expected_code) {
    CAPTURE(minimum);
    CAPTURE(value);
    const std::string file = write("a.grib", minimum, value, "grid_simple");
    compared({.got = file, .wanted = reference, .tolerance = 1e-3}, expected_code);
  };
  compare_with(0, 9.75, 0);              // the next step
  compare_with(0, 9.875, 1);             // two steps
  compare_with(0.005, 9.624 + 0.07, 0);  // 9.755: a step, and the minimum shifted by less than 1e-3 of 5.8
  compare_with(-0.005, 9.624 - 0.07, 0);
  compare_with(0.02, 9.624 + 0.14, 1);  // minima that differ by more than the tolerance
  compare_with(0.13, 9.755, 1);         // the whole field, by a little more than a step

  const std::string unpacked = write("c.grib", 0, 9.625, "grid_ieee");
  compared({.got = write("d.grib", 0, 9.75, "grid_ieee"), .wanted = unpacked, .tolerance = 1e-3}, 1);
  compared({.got = unpacked, .wanted = unpacked, .tolerance = 0}, 0);
}

TEST_CASE("missing, extra, misplaced and differently labelled messages are named") {
  const TemporaryFolder folder;
  const auto bytes = [](long step) { return make_message(temperature(step), wave(10)).bytes(); };
  write_file(folder / "b.grib", bytes(6) + bytes(12) + bytes(18));
  const auto faults = [&](const std::string& content) {
    write_file(folder / "a.grib", content);
    return compared({.got = folder / "a.grib", .wanted = folder / "b.grib"}, 1)["faults"].dump();
  };
  CHECK(faults(bytes(6) + bytes(18)) == R"(["missing: 2t step 12h"])");
  CHECK(faults(bytes(6) + bytes(12) + bytes(18) + bytes(24)) == R"(["extra: 2t step 1d"])");
  CHECK(faults(bytes(12) + bytes(6) + bytes(18)).find("order: 2t step 12h") != std::string::npos);
  grib::Json keys = temperature(12);
  keys["expver"] = "0078";
  CHECK(faults(bytes(6) + make_message(keys, wave(10)).bytes() + bytes(18)) ==
        R"x(["keys of 2t step 12h: experimentVersionNumber=0078 (want 0001)"])x");
}

TEST_CASE("missing values must be missing in both") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, std::size_t missing) {
    std::vector<double> values = wave(10);
    for (std::size_t i = 0; i < missing; ++i) values[i] = 9999;
    grib::Json keys = temperature(6);
    keys["missingValue"] = 9999;
    keys["bitmapPresent"] = 1;
    write_file(folder / name, make_message(keys, values).bytes());
    return folder / name;
  };
  const std::string hundred = write("b.grib", 100);
  CHECK(compared({.got = write("a.grib", 100), .wanted = hundred}, 0)["worst_over_std"] == 0);
  compared({.got = write("c.grib", 101), .wanted = hundred}, 1);
}

TEST_CASE("scores follow their definitions") {
  // two parallels of two points: weights cos(0) = 1 and cos(60) = 1/2, mean 3/4
  const Grid grid({0, 0, 60, 60});
  CHECK(grid.parallels == 2);
  const std::vector<double> b = {1, 3, 10, 14}, a = {2, 3, 10, 12};
  const auto zonal = climatology_of(b, grid, Climatology::zonal_mean);
  for (std::size_t i = 0; i < 4; ++i) CHECK(zonal[i] == doctest::Approx(i < 2 ? 2 : 12));
  CHECK(climatology_of(b, grid, Climatology::mean)[0] == doctest::Approx((1 + 3 + 5 + 7) / 3.0));
  const Scores scores = score(a, b, grid, zonal);
  CHECK(scores.max_difference == 2);
  CHECK(scores.rmse == doctest::Approx(std::sqrt((1 + 0.5 * 4) / 3)));
  CHECK(scores.bias == doctest::Approx((1 - 0.5 * 2) / 3).scale(1));
  CHECK(scores.anomaly == doctest::Approx(std::sqrt((1 + 1 + 0.5 * 4 + 0.5 * 4) / 3)));
  // anomalies of a: 0, 1, -2, 0; of b: -1, 1, -2, 2
  CHECK(scores.correlation == doctest::Approx((1 + 0.5 * 4) / std::sqrt((1 + 0.5 * 4) * (1 + 1 + 0.5 * 8))));
  CHECK(scores.deviation == doctest::Approx(std::sqrt((36 + 16 + 9 + 49) / 4.0)));
}

TEST_CASE("the command line of compare") {
  const auto options = parse_compare_options({"a", "--tolerance=0.5", "b", "--json", "--steps", "24h,5d"});
  CHECK(options.got == "a");
  CHECK(options.wanted == "b");
  CHECK(options.json);
  CHECK(options.tolerance == 0.5);
  CHECK(options.steps == std::vector<Duration>{std::chrono::hours(24), std::chrono::hours(120)});
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"a"}, {"a", "b", "c"}, {"a", "b", "--tolerance"}, {"a", "b", "--tolerance", "x"}, {"a", "b", "--fast"}})
    CHECK_THROWS_AS(parse_compare_options(wrong), UserError);
  std::ostringstream out;
  CHECK_THROWS_AS(run_compare({.got = "/nonexistent.grib", .wanted = "/nonexistent.grib"}, out), UserError);
}

TEST_CASE("editions 1 and 2 of one forecast are matched; the edition is what differs") {
  const TemporaryFolder folder;
  const auto write = [&](long edition) {
    std::string bytes;
    for (const auto& [name, levels, level] : std::vector<std::tuple<const char*, const char*, long>>{
             {"2t", edition == 1 ? "surface" : "heightAboveGround", edition == 1 ? 0 : 2},
             {"msl", edition == 1 ? "surface" : "meanSea", 0},
             {"t", "isobaricInhPa", 850},
             {"t", "isobaricInhPa", 500}}) {
      auto sample = grib::Handle::from_sample("regular_ll_sfc_grib" + std::to_string(edition));
      sample->set_together({{"shortName", name}, {"date", 20240115}, {"time", 0}, {"step", 6}});
      if (std::string(name) == "t") sample->set_together({{"typeOfLevel", levels}, {"level", level}});
      std::vector<double> values(496);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 280 + std::sin(0.1 * static_cast<double>(i));
      sample->set("bitsPerValue", 16L);
      sample->set_values(values);
      REQUIRE(sample->text("typeOfLevel") == levels);
      bytes += sample->bytes();
    }
    const std::string path = folder / ("edition" + std::to_string(edition));
    write_file(path, bytes);
    return path;
  };
  const std::string one = write(1), two = write(2);
  for (const auto& [got, wanted] : {std::pair(one, two), std::pair(two, one)}) {
    const Json report = compared({.got = got, .wanted = wanted}, 1);
    CHECK(report["fields"].size() == 4);
    REQUIRE(report["faults"].size() == 4);
    for (const Json& fault : report["faults"]) {
      CAPTURE(fault.dump());
      CHECK(has(fault, "edition="));
      for (const char* other : {"number", "level", "typeOfLevel", "productDefinition", "missing", "extra"})
        CHECK_FALSE(has(fault, other));
    }
  }
}

TEST_CASE("an absent key counts as its default, an absent local section is named once") {
  const TemporaryFolder folder;
  const grib::Handle whole = make_message(temperature(6), wave(10));
  grib::Handle member = whole.clone(), bare = whole.clone();
  member.set_together({{"productDefinitionTemplateNumber", 1}, {"number", 0}});
  bare.set("deleteLocalDefinition", 1L);
  write_file(folder / "whole", whole.bytes());
  const auto faults = [&](const grib::Handle& other) {
    write_file(folder / "other", other.bytes());
    const Json report = compared({.got = folder / "other", .wanted = folder / "whole"}, 1);
    CHECK(report["fields"].size() == 1);
    return report["faults"].dump();
  };
  CHECK(faults(member) == R"-(["keys of 2t step 6h: productDefinitionTemplateNumber=1 (want 0)"])-");
  CHECK(faults(bare) == R"-(["keys of 2t step 6h: localUsePresent=0 (want 1)"])-");
  grib::Handle other_member = member.clone();
  other_member.set("number", 3L);
  write_file(folder / "other", other_member.bytes());
  CHECK(has(compared({.got = folder / "other", .wanted = folder / "whole"}, 1)["faults"].dump(), "missing: 2t"));
}

TEST_CASE("a step that begins elsewhere is the same field, with the difference named") {
  const TemporaryFolder folder;
  for (const long begin : {0, 3}) {
    const grib::Json keys = {{"shortName", "tp"},
                             {"dataType", "fc"},
                             {"date", 20240115},
                             {"time", 0},
                             {"productDefinitionTemplateNumber", 8},
                             {"stepType", "accum"},
                             {"startStep", begin},
                             {"endStep", 6}};
    write_file(folder / std::to_string(begin), make_message(keys, wave(10)).bytes());
  }
  const Json report = compared({.got = folder / "3", .wanted = folder / "0"}, 1);
  CHECK(report["fields"].size() == 1);
  CHECK(report["faults"].dump() == R"-(["keys of tp step 6h: stepRange=3-6 (want 0-6)"])-");
}

TEST_CASE("fields on another grid of as many points are no match, fields without points are compared without areas") {
  const TemporaryFolder folder;
  const auto field = [&](const grib::Json& grid) {
    auto sample = grib::Handle::from_sample("regular_ll_sfc_grib2");
    sample->set_together({{"shortName", "2t"}, {"date", 20240115}, {"time", 0}});
    if (!grid.empty()) sample->set_together(grid);
    std::vector<double> values(496);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 280 + std::sin(0.1 * static_cast<double>(i));
    sample->set_values(values);
    return sample->bytes();
  };
  write_file(folder / "north", field({}));
  write_file(folder / "turned",
             field({{"longitudeOfFirstGridPointInDegrees", 180}, {"longitudeOfLastGridPointInDegrees", 210}}));
  const Json report = compared({.got = folder / "turned", .wanted = folder / "north"}, 1);
  CHECK(has(report["faults"].dump(), "is on another grid: point 0 at 60.000000 180.000000 (want 60.000000 0.000000)"));
  const grib::Json elsewhere = {
      {"gridDefinitionTemplateNumber", 101}, {"numberOfDataPoints", 496}, {"numberOfGridUsed", 99}};
  write_file(folder / "without", field(elsewhere));
  const Json same = compared({.got = folder / "without", .wanted = folder / "without"}, 0);
  CHECK(same["fields"].size() == 1);
  CHECK(same["without_areas"] == 1);
  CHECK(same["fields"][0]["rmse"] == 0);
  std::ostringstream text;
  CHECK(run_compare({.got = folder / "without", .wanted = folder / "without"}, text) == 0);
  CHECK(has(text.str(), "no areas: 1 fields"));
  CHECK(has(text.str(), "1 messages, 1 compared"));
}
