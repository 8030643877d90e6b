// Metadata of both layouts, against what anemoi-inference 0.13 makes of the same files.
#include "common/checkpoint/metadata.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/metadata_json.h"
#include "common/errors.h"
#include "tests/helpers/case_file.h"

using namespace tradewind;
using namespace tradewind::checkpoint;
using std::chrono::hours;

namespace {

using Names = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

std::shared_ptr<const archive::Archive> golden(const std::string& name) {
  return archive::Archive::open(std::string(TRADEWIND_GOLDEN_DIR) + "/" + name + "/inference-last.ckpt");
}

// The smallest document of one dataset: prognostic t_500 and 2t, forcings lsm and cos_latitude, diagnostic tp.
Json small_document() {
  return Json::parse(R"({
    "dataset": {"variables": ["t_500", "2t", "lsm", "cos_latitude", "tp"], "shape": [10, 5, 1, 100]},
    "data_indices": {
      "data": {"input": {"full": [0, 1, 2, 3], "prognostic": [0, 1], "diagnostic": [4]},
               "output": {"full": [0, 1, 4]}},
      "model": {"input": {"full": [0, 1, 2, 3], "prognostic": [0, 1]},
                "output": {"full": [0, 1, 2], "prognostic": [0, 1]}}},
    "config": {"data": {"timestep": "6h", "forcing": ["lsm", "cos_latitude"]}, "training": {"multistep_input": 2}}
  })");
}

// Message and place of the error that a document gives.
std::string error_of(const Json& document, const Json& patch = Json::object()) {
  try {
    interpret_metadata(document, patch);
  } catch (const UserError& error) {
    return error.message() + " @ " + error.where();
  }
  return "";
}

}  // namespace

TEST_CASE("gt-transformer: layout with datasets") {
  const Metadata metadata = read_metadata(*golden("gt-transformer")).front();
  CHECK(metadata.multi_dataset_layout);
  CHECK(metadata.dataset == "data");
  CHECK(metadata.task == "forecaster");
  CHECK(metadata.precision == "16-mixed");
  CHECK(metadata.input == Names{"10u", "10v", "2t", "cos_julian_day", "cos_latitude", "cos_local_time", "cos_longitude",
                                "insolation", "lsm", "msl", "q_700", "sin_julian_day", "sin_latitude", "sin_local_time",
                                "sin_longitude", "t_500", "t_850", "z", "z_500"});
  CHECK(metadata.output == Names{"10u", "10v", "2t", "msl", "q_700", "t_500", "t_850", "tcc", "tp", "z_500"});
  CHECK(metadata.prognostic == Names{"10u", "10v", "2t", "msl", "q_700", "t_500", "t_850", "z_500"});
  CHECK(metadata.diagnostic == Names{"tcc", "tp"});
  CHECK(metadata.forcing.size() == 11);
  CHECK(metadata.prognostic_columns == Pairs{{0, 0}, {1, 1}, {2, 2}, {3, 9}, {4, 10}, {5, 15}, {6, 16}, {9, 18}});
  CHECK(metadata.time.timestep == hours(6));
  CHECK(metadata.time.input_offsets == std::vector<Duration>{-hours(6), hours(0)});
  CHECK(metadata.time.output_offsets == std::vector<Duration>{hours(6)});
  CHECK(metadata.time.rollout_shift == hours(6));
  CHECK(metadata.time.input_to_input == Pairs{{1, 0}});
  CHECK(metadata.time.output_to_input == Pairs{{0, 1}});
  CHECK(metadata.grid == "O32");
  CHECK(metadata.grid_points == 5248);

  const Variable& insolation = metadata.variables.at("insolation");
  CHECK(insolation.computed_forcing);
  CHECK(!insolation.constant_in_time);
  CHECK(metadata.variables.at("sin_latitude").constant_in_time);
  CHECK(metadata.variables.at("lsm").constant_in_time);
  CHECK(!metadata.variables.at("lsm").computed_forcing);
  const Variable& tp = metadata.variables.at("tp");
  CHECK(tp.accumulated());
  CHECK(tp.period == std::pair<Duration, Duration>{hours(0), hours(6)});
  CHECK(!metadata.variables.at("2t").accumulated());
  CHECK(metadata.variables.at("q_700").param() == "q");
  CHECK(metadata.variables.at("q_700").level() == "700");
  CHECK(!metadata.variables.at("2t").level());
}

TEST_CASE("supporting arrays") {
  const auto archive = golden("gt-transformer");
  const Metadata metadata = read_metadata(*archive).front();
  const auto latitudes = read_array(*archive, metadata, "latitudes", 5248);
  REQUIRE(latitudes.size() == 5248);
  CHECK(latitudes[0] == doctest::Approx(87.86379884));
  CHECK(std::accumulate(latitudes.begin(), latitudes.end(), 0.0) == doctest::Approx(0).epsilon(1e-9));
  const auto longitudes = read_array(*archive, metadata, "longitudes", 5248);
  CHECK(longitudes[1] == 18);
  CHECK(longitudes[2] == 36);
  CHECK_THROWS_AS(read_array(*archive, metadata, "mask", 5248), UserError);

  Metadata wrong = metadata;
  wrong.arrays.at("latitudes").shape = {5249};
  CHECK_THROWS_AS(read_array(*archive, wrong, "latitudes", 5248), UserError);
  wrong = metadata;
  // A shape that would make as many bytes as there are, or more than can be counted.
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
           {5248, 2}, {}, {0}, {1 << 30, 1 << 30, 1 << 30}, {2147483647, 2147483647, 2147483647, 0}}) {
    wrong.arrays.at("latitudes").shape = shape;
    CHECK_THROWS_AS(read_array(*archive, wrong, "latitudes", 5248), UserError);
  }
  wrong = metadata;
  wrong.arrays.at("latitudes").dtype = "uint8";
  CHECK_THROWS_AS(read_array(*archive, wrong, "latitudes", 5248), UserError);
  wrong.arrays.at("latitudes").dtype = "complex64";
  CHECK_THROWS_AS(read_array(*archive, wrong, "latitudes", 5248), UserError);
}

TEST_CASE("rossby-haurwitz: forcings come first") {
  const Metadata metadata =
      read_metadata(*archive::Archive::open(std::string(TRADEWIND_GOLDEN_DIR) +
                                            "/../../examples/rossby-haurwitz/inference-last.ckpt"))
          .front();
  CHECK(metadata.input ==
        Names{"cos_latitude", "cos_longitude", "sin_latitude", "sin_longitude", "u_500", "v_500", "z_500"});
  CHECK(metadata.output == Names{"u_500", "v_500", "z_500"});
  CHECK(metadata.prognostic_columns == Pairs{{0, 4}, {1, 5}, {2, 6}});
  CHECK(metadata.diagnostic.empty());
}

TEST_CASE("a temporal downscaler, by both names of its task") {
  const auto archive = golden("gt-transformer");
  const auto with = [&](const std::string& task, const char* inputs, const char* outputs, const char* frequency) {
    Json patch = Json::parse(R"({"config": {"data": {"frequency": "6h"}, "task": {}}})");
    patch["metadata_inference"] = {{"task", task},
                                   {"data",
                                    {{"timesteps",
                                      {{"input_relative_date_indices", Json::parse(inputs)},
                                       {"output_relative_date_indices", Json::parse(outputs)}}}}}};
    if (frequency != nullptr) patch["config"]["task"]["output_timestep"] = frequency;
    return read_metadata(*archive, patch).front().time;
  };
  for (const char* task : {"temporal-downscaler", "temporal_downscaler", "time-interpolator", "time_interpolator"}) {
    CAPTURE(task);
    const TimeStepping time = with(task, "[0, 3]", "[1, 2]", "2h");
    CHECK(time.between_inputs);
    CHECK(time.input_offsets == std::vector<Duration>{hours(0), hours(6)});
    CHECK(time.output_offsets == std::vector<Duration>{hours(2), hours(4)});
    CHECK(time.rollout_shift == hours(6));
    CHECK(time.input_to_input.empty());
    CHECK(time.output_to_input.empty());
  }
  // With the later end; without a frequency of its own that of the data counts.
  const TimeStepping time = with("temporal-downscaler", "[0, 2]", "[1, 2]", nullptr);
  CHECK(time.input_offsets == std::vector<Duration>{hours(0), hours(12)});
  CHECK(time.output_offsets == std::vector<Duration>{hours(6), hours(12)});
  CHECK_FALSE(with("forecaster", "[0, 1]", "[2]", nullptr).between_inputs);
  for (const auto& [inputs, outputs] : {std::pair{"[0]", "[1]"},
                                        {"[1, 3]", "[2]"},
                                        {"[0, 3]", "[0, 1, 2]"},
                                        {"[0, 3]", "[1]"},
                                        {"[0, 3]", "[1, 2, 3, 4]"}}) {
    CAPTURE(inputs);
    CAPTURE(outputs);
    CHECK_THROWS_WITH_AS(with("temporal-downscaler", inputs, outputs, "2h"), doctest::Contains("temporal downscaler"),
                         UserError);
  }
}

TEST_CASE("legacy layouts say the same") {
  int seen = 0;
  for (const char* name : {"0.3.1-aifs", "0.4.2-aifs", "0.4.2-aifs-sdpa", "0.6.0-aifs", "0.8.1-aifs", "0.9.7-aifs",
                           "0.12.1-aifs", "0.13.0-aifs"}) {
    CAPTURE(name);
    const auto file = tests::find_checkpoint(TRADEWIND_GOLDEN_DIR, std::string("legacy/") + name);
    if (!file) continue;  // one of the further cases
    ++seen;
    const Metadata metadata = read_metadata(*archive::Archive::open(*file)).front();
    const std::string version = name;
    CHECK(metadata.multi_dataset_layout == version.starts_with("0.1"));
    CHECK(metadata.task == "forecaster");
    CHECK(metadata.precision == "16-mixed");
    CHECK(metadata.input == Names{"10u", "10v", "2t", "cos_julian_day", "cos_latitude", "cos_longitude", "insolation",
                                  "lsm", "msl", "q_700", "sin_latitude", "sin_longitude", "sp", "t_500", "t_850", "z",
                                  "z_500"});
    CHECK(metadata.output == Names{"10u", "10v", "2t", "cp", "msl", "q_700", "sp", "t_500", "t_850", "tp", "z_500"});
    CHECK(metadata.prognostic == Names{"10u", "10v", "2t", "msl", "q_700", "sp", "t_500", "t_850", "z_500"});
    CHECK(metadata.diagnostic == Names{"cp", "tp"});
    CHECK(metadata.forcing == Names{"cos_julian_day", "cos_latitude", "cos_longitude", "insolation", "lsm",
                                    "sin_latitude", "sin_longitude", "z"});
    CHECK(metadata.prognostic_columns ==
          Pairs{{0, 0}, {1, 1}, {2, 2}, {4, 8}, {5, 9}, {6, 12}, {7, 13}, {8, 14}, {10, 16}});
    CHECK(metadata.time.timestep == hours(6));
    CHECK(metadata.time.input_offsets == std::vector<Duration>{-hours(6), hours(0)});
    CHECK(metadata.time.rollout_shift == hours(6));
    CHECK(metadata.grid == "O16");
    CHECK(metadata.grid_points == 1600);
    CHECK(metadata.variables.at("cp").accumulated());
    CHECK(metadata.variables.at("z").constant_in_time);
    CHECK(metadata.arrays.contains("latitudes") == !version.starts_with("0.3"));
  }
  CHECK(seen >= 3);
}

TEST_CASE("without a table of variables, names tell") {
  const Metadata metadata = interpret_metadata(small_document());
  const auto& variables = metadata.variables;
  CHECK(variables.at("t_500").mars == Json::parse(R"({"param": "t", "levelist": 500, "levtype": "pl"})"));
  CHECK(variables.at("2t").mars == Json::parse(R"({"param": "2t", "levtype": "sfc"})"));
  CHECK(variables.at("lsm").constant_in_time);
  CHECK(variables.at("cos_latitude").computed_forcing);
  CHECK(variables.at("cos_latitude").constant_in_time);
  CHECK(variables.at("tp").accumulated());
  CHECK(variables.at("tp").period == std::pair<Duration, Duration>{hours(0), hours(6)});
  CHECK(metadata.grid_points == 100);
  CHECK(metadata.grid.empty());
}

TEST_CASE("an old table of variables is mended, constant_fields are constant") {
  Json document = small_document();
  document["dataset"]["variables_metadata"] = Json::parse(
      R"({"2t": {"param": "2t", "levtype": "sfc"}, "t_500": {"mars": {"param": 130}}, "lsm": {"mars": {}},
          "cos_latitude": {"mars": {"param": "cos_latitude"}}, "tp": {"process": "accumulation", "units": "m"}})");
  document["dataset"]["constant_fields"] = {"2t", "elsewhere"};
  const Metadata metadata = interpret_metadata(document);
  CHECK(metadata.variables.at("2t").mars.at("param") == "2t");
  CHECK(metadata.variables.at("2t").constant_in_time);
  CHECK(metadata.variables.at("t_500").param() == "130");
  CHECK(metadata.variables.at("lsm").param() == "lsm");
  CHECK(!metadata.variables.at("lsm").constant_in_time);
  CHECK(metadata.variables.at("cos_latitude").computed_forcing);
  CHECK(metadata.variables.at("tp").accumulated());
  CHECK(!metadata.variables.at("tp").period);
  CHECK(metadata.variables.at("tp").units == "m");
  CHECK(metadata.variable_order == Names{"2t", "t_500", "lsm", "cos_latitude", "tp"});
}

TEST_CASE("the grid of an older file lies with its sources") {
  Json document = small_document();
  document["dataset"]["specific"] = Json::parse(
      R"({"forward": [{"attrs": {"data_request": {"grid": null}}}, {"attrs": {"data_request": {"grid": [0.25, 0.5]}}}]})");
  CHECK(interpret_metadata(document).grid == "0.25/0.5");
  document["dataset"]["data_request"] = {{"grid", "n320"}};
  document["dataset"].erase("shape");
  CHECK(interpret_metadata(document).grid == "n320");
  CHECK(interpret_metadata(document).grid_points == 542080);
}

TEST_CASE("the user's patch is merged") {
  const Json patch = Json::parse(
      R"({"dataset": {"constant_fields": ["2t"], "data_request": {"grid": "o96"}}, "config": {"data": {"timestep": 3}}})");
  const Metadata metadata = interpret_metadata(small_document(), patch);
  CHECK(metadata.variables.at("2t").constant_in_time);
  CHECK(metadata.grid == "o96");
  CHECK(metadata.time.timestep == hours(3));
  CHECK(metadata.prognostic == Names{"t_500", "2t"});
  CHECK(metadata.new_keys == Names{"dataset.data_request"});
  CHECK(interpret_metadata(small_document(), {{"data", patch}}).grid == "o96");
}

TEST_CASE("a patch of constant fields in another layout's place is told as a new key") {
  const Json document = read_metadata(*golden("gt-transformer")).front().raw;
  const Metadata elsewhere = interpret_metadata(document, {{"dataset", {{"constant_fields", {"2t"}}}}});
  CHECK(elsewhere.new_keys == Names{"dataset.constant_fields"});
  CHECK_FALSE(elsewhere.variables.at("2t").constant_in_time);
  const Metadata named = interpret_metadata(document, {{"dataset", {{"data", {{"constant_fields", {"2t"}}}}}}});
  CHECK(named.new_keys.empty());
  CHECK(named.variables.at("2t").constant_in_time);
}

TEST_CASE("several steps, offsets and the map of the roll-out") {
  Json document = read_metadata(*golden("gt-transformer")).front().raw;
  Json& steps = document["metadata_inference"]["data"]["timesteps"];
  steps["output_relative_date_indices"] = {2, 3, 4};
  Metadata metadata = interpret_metadata(document);
  CHECK(metadata.time.output_offsets == std::vector<Duration>{hours(6), hours(12), hours(18)});
  CHECK(metadata.time.rollout_shift == hours(18));
  CHECK(metadata.time.output_to_input == Pairs{{2, 1}, {1, 0}});
  CHECK(metadata.time.input_to_input.empty());

  steps["input_offsets"] = {"-12h", "0h"};
  steps["output_offsets"] = {"3h", "6h"};
  steps["rollout_shift"] = "6h";
  steps["advance_map"] = {{"inin", Json::array()}, {"outin", {{1, 1}}}};
  metadata = interpret_metadata(document);
  CHECK(metadata.time.input_offsets == std::vector<Duration>{-hours(12), hours(0)});
  CHECK(metadata.time.output_offsets == std::vector<Duration>{hours(3), hours(6)});
  CHECK(metadata.time.rollout_shift == hours(6));
  CHECK(metadata.time.output_to_input == Pairs{{1, 1}});

  steps["input_offsets"] = {"-12h", "-6h"};
  CHECK(error_of(document).find("metadata_inference.data.timesteps.input_offsets") != std::string::npos);
}

TEST_CASE("what cannot be used is refused with its path") {
  const Json good = small_document();
  const auto broken = [&](const char* patch) { return error_of(good, Json::parse(patch)); };
  CHECK(error_of(good).empty());
  CHECK(broken(R"({"dataset": {"variables": ["t_500", "2t", "lsm", "cos_latitude"]}})")
            .find("data_indices.data.output.full") != std::string::npos);
  CHECK(broken(R"({"config": {"data": {"forcing": ["lsm"]}}})").find("cos_latitude") != std::string::npos);
  CHECK(broken(R"({"config": {"data": {"timestep": "soon"}}})").find("config.data.timestep") != std::string::npos);
  CHECK(broken(R"({"config": {"data": {"timestep": 0}}})").find("positive") != std::string::npos);
  CHECK(broken(R"({"data_indices": {"model": {"input": {"full": [0, 1, 1, 3]}}}})").find("each once") !=
        std::string::npos);
  CHECK(broken(R"({"data_indices": {"model": {"input": {"prognostic": [1, 0]}}}})").find("would become") !=
        std::string::npos);
  CHECK(broken(R"({"dataset": 3})").find("no `variables`") != std::string::npos);
  Json two = good;
  two["metadata_inference"]["dataset_names"] = {"cerra", "era5"};
  CHECK(error_of(two).find("no `cerra`") != std::string::npos);
}

TEST_CASE("Python's JSON") {
  const Json document = parse_python_json(R"({"a": NaN, "b": [-Infinity, Infinity, 1], "c": "NaN \" Infinity"})");
  CHECK(document["a"].is_null());
  CHECK(document["b"][0].is_null());
  CHECK(document["b"][2] == 1);
  CHECK(document["c"] == "NaN \" Infinity");
  CHECK_THROWS_AS(parse_python_json("[1]"), UserError);
  CHECK_THROWS_AS(parse_python_json("{\"a\": "), UserError);
  CHECK_THROWS_AS(parse_python_json(std::string(1000000, '[')), UserError);
}
