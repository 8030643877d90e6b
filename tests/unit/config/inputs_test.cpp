// Inputs: every option and every refusal, with its place.
#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("inputs") {
  const ConfigCase test;
  for (const char* yaml : {"input: {grib: x/*.grib}", "input: {grib: {path: x/*.grib}}",
                           "input: {_type: grib, path: x/*.grib}", "input: {data: {grib: x/*.grib}}"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const RunConfig config = test.run(yaml);
    CHECK(std::get<GribInputConfig>(for_dataset(config, "data").input).path == "x/*.grib");
    CHECK(config.datasets.contains("data") == (std::string(yaml).find("data:") != std::string::npos));
  }
  CHECK(std::holds_alternative<DummyInputConfig>(test.run("input: dummy").input));
  CHECK(std::holds_alternative<DummyInputConfig>(test.run("input: {dummy: {}}").input));
  CHECK(std::holds_alternative<EmptyInputConfig>(test.run("input: empty").input));
  const RunConfig config = test.run("constant_forcings: {grib: c.grib}\ndynamic_forcings: empty");
  CHECK(std::get<GribInputConfig>(*config.constant_forcings).path == "c.grib");
  CHECK(std::holds_alternative<EmptyInputConfig>(*config.dynamic_forcings));
  CHECK(!test.run("constant_forcings: null").constant_forcings);
}

TEST_CASE("the namer's rules") {
  const ConfigCase test;
  const RunConfig config = test.run(
      "input: {grib: {path: a, namer: {rules: [[{shortName: t, level: 850}, 't_{level}'], [{paramId: '130'}, x]]}}}");
  const auto& namer = std::get<GribInputConfig>(config.input).namer;
  REQUIRE(namer.size() == 2);
  CHECK(namer[0].match == std::vector<std::pair<std::string, std::string>>{{"shortName", "t"}, {"level", "850"}});
  CHECK(namer[0].name == "t_{level}");
  CHECK(namer[1].name == "x");
  check_refused({
      {"input: {grib: {path: a, namer: {rule: []}}}", "unknown key `input.grib.namer.rule`", 3, 33, "`rules`"},
      {"input: {grib: {path: a, namer: {}}}", "`input.grib.namer.rules` is missing", 3, 32, "rules:"},
      {"input: {grib: {path: a, namer: {rules: [[x]]}}}",
       "`input.grib.namer.rules.0` must be a list of two: what to match and the name", 3, 41, "shortName"},
      {"input: {grib: {path: a, namer: {rules: [[x, y]]}}}",
       "`input.grib.namer.rules.0.0` must be a map, not the text 'x'", 3, 42, "{"},
  });
}

TEST_CASE("an input within an input: what another one has at one date") {
  const ConfigCase test;
  const auto repeated = [&](const std::string& options) {
    return std::get<RepeatedDatesConfig>(test.run("input: {repeated-dates: " + options + "}").input);
  };
  const RepeatedDatesConfig one = repeated("{source: {grib: c.grib}, date: 2020-02-01, mode: constant}");
  CHECK(std::get<GribInputConfig>(*one.source).path == "c.grib");
  CHECK(one.date == parse_date("2020-02-01"));
  CHECK(one == repeated("{date: '2020-02-01T00:00', source: {grib: {path: c.grib}}}"));
  CHECK_FALSE(one == repeated("{date: 2020-02-02, source: {grib: c.grib}}"));
  CHECK_FALSE(one == repeated("{date: 2020-02-01, source: {grib: d.grib}}"));
  CHECK(std::get<RepeatedDatesConfig>(*repeated("{date: 2020-02-01, source: {repeated_dates: {source: dummy, date: "
                                                "2020-02-01}}}")
                                           .source)
            .date == one.date);
  check_refused({
      {"input: {repeated_dates: {date: 2020-02-01}}", "`input.repeated_dates.source` is missing", 3, 9, "source:"},
      {"input: {repeated_dates: {source: dummy}}", "`input.repeated_dates.date` is missing", 3, 9, "date:"},
      {"input: {repeated_dates: {source: gribb, date: 2020-02-01}}", "unknown input 'gribb'", 3, 34, "'grib'"},
      {"input: {repeated_dates: {source: {grib: {pth: x}}, date: 2020-02-01}}",
       "unknown key `input.repeated_dates.source.grib.pth`", 3, 42, "`path`"},
      {"input: {repeated_dates: {source: dummy, date: [1]}}", "`input.repeated_dates.date` must be text, not a list", 3,
       47, "text"},
      {"input: {repeated_dates: {source: dummy, date: 2020-02-01, mode: climatology}}",
       "`input.repeated_dates.mode` cannot be 'climatology'", 3, 65, "constant"},
  });
}

TEST_CASE("datasets") {
  const ConfigCase test;
  const auto dataset = [&](const std::string& options) {
    return std::get<DatasetInputConfig>(test.run("input: {dataset: " + options + "}").input);
  };
  for (const char* options : {"a.zarr", "a.zarr/", "[a.zarr]", "{dataset: a.zarr}", "{dataset: [a.zarr]}"})
    CHECK(dataset(options) == dataset("a.zarr"));
  CHECK(dataset("a.zarr").dataset->path == "a.zarr");
  CHECK_FALSE(dataset("a.zarr") == dataset("b.zarr"));
  const DatasetInputConfig full = dataset(
      "{dataset: a.zarr.zip, start: 2020, end: 2020-02, frequency: 12h, select: [2t, msl], drop: msl, reorder: sort, "
      "rename: {2t: t2m}, thinning: null, grid_indices: [4, 0]}");
  CHECK(full.dataset->path == "a.zarr.zip");
  CHECK(*full.dataset->start == DatePeriod{parse_date("2020-01-01"), parse_date("2021-01-01")});
  CHECK(*full.dataset->end == DatePeriod{parse_date("2020-02-01"), parse_date("2020-03-01")});
  CHECK(*full.dataset->frequency == std::chrono::hours(12));
  CHECK(*full.dataset->select == std::vector<std::string>{"2t", "msl"});
  CHECK(*full.dataset->drop == std::vector<std::string>{"msl"});
  CHECK(full.dataset->sort);
  CHECK(full.dataset->rename == std::vector<std::pair<std::string, std::string>>{{"2t", "t2m"}});
  CHECK(*full.grid_indices == std::vector<std::int64_t>{4, 0});
  CHECK(*dataset("{dataset: a.zarr, end: 2020-12-31}").dataset->end ==
        DatePeriod{parse_date("2020-12-31"), parse_date("2021-01-01")});
  CHECK(dataset("{dataset: {dataset: a.zarr, drop: x}, select: y}").dataset->inner.front().drop->front() == "x");
  CHECK_FALSE(dataset("{use_original_paths: true}").dataset);
  CHECK(std::holds_alternative<TestInputConfig>(test.run("input: {test: {use_original_paths: true}}").input));
  CHECK(std::holds_alternative<TrainingInputConfig>(test.run("input: {training: {use_original_paths: true}}").input));
  CHECK(
      std::holds_alternative<ValidationInputConfig>(test.run("input: {validation: {use_original_paths: true}}").input));
}

TEST_CASE("datasets that are refused") {
  check_refused({
      {"input: test",
       "input 'test' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does not "
       "read",
       3, 8, "{test: {use_original_paths: true}}"},
      {"input: {validation: {use_original_paths: false}}",
       "input 'validation' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does "
       "not read",
       3, 9, "`input: {grib: FILE}`"},
      {"input: dataset",
       "input 'dataset' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does "
       "not read",
       3, 8, "`input: {dataset: STORE.zarr}`"},
      {"input: {dataset: aifs-o96}",
       "`input.dataset` names a dataset, 'aifs-o96', which the reference looks up in anemoi's settings; Tradewind does "
       "not read them",
       3, 18, ".zarr or .zip"},
      {"input: {dataset: 's3://a/b.zarr'}", "`input.dataset` is an address, 's3://a/b.zarr'; only files can be read", 3,
       18, "copy the store"},
      {"input: {dataset: [a.zarr, b.zarr]}", "`input.dataset` has 2 datasets, one is supported", 3, 18, "one store"},
      {"input: {dataset: {select: [2t]}}", "`input.dataset.dataset` is missing", 3, 18, "STORE.zarr"},
      {"input: {dataset: {cutout: [a.zarr, b.zarr]}}", "`input.dataset.cutout` is not supported by this build", 3, 19,
       "one store"},
      {"input: {dataset: {dataset: a.zarr, rescale: 2}}", "`input.dataset.rescale` is not supported by this build", 3,
       36, "select"},
      {"input: {dataset: {dataset: a.zarr, selct: [2t]}}", "unknown key `input.dataset.selct`", 3, 36, "`select`"},
      {"input: {dataset: {dataset: {dataset: a.zarr, selct: [2t]}}}", "unknown key `input.dataset.dataset.selct`", 3,
       46, "`select`"},
      {"input: {dataset: {dataset: a.zarr, frequency: -6h}}", "`input.dataset.frequency` must be more than nothing", 3,
       47, "6h"},
      {"input: {dataset: {dataset: a.zarr, start: now}}", "`input.dataset.start` cannot be the text 'now'", 3, 43,
       "2020"},
      {"input: {dataset: {dataset: a.zarr, use_trajectories: true}}",
       "`input.dataset.use_trajectories` is not supported by this build", 3, 36, "dates"},
      {"input: {dataset: {dataset: a.zarr, pre_processors: [no_missing_values]}}",
       "`input.dataset.pre_processors` is not supported by this build", 3, 36, "reference"},
      {"input: {dataset: {dataset: a.zarr, grid_indices: [0, -1]}}",
       "`input.dataset.grid_indices` has a negative number", 3, 54, "from 0"},
  });
}

TEST_CASE("inputs that are refused") {
  check_refused({
      {"input: {netcdf: x.nc}", "input 'netcdf' is not supported by this build", 3, 9, "grib, dummy, empty"},
      {"input: mars", "input 'mars' is not supported by this build", 3, 8, "retrieve"},
      {"input: {cutout: []}", "input 'cutout' is not supported by this build", 3, 9, "grib"},
      {"input: gribb", "unknown input 'gribb'", 3, 8, "did you mean 'grib'?"},
      {"input: null", "`input` must be a name or a map of one name, not null", 3, 8, "name"},
      {"input: 5", "`input` must be a name or a map of one name, not the integer 5", 3, 8, "name"},
      {"input: {}", "`input` names nothing", 3, 8, "one name"},
      {"input: {grib: a, dummy: {}}", "`input` names more than one thing: grib, dummy", 3, 18, "one name"},
      {"input: grib", "`input.grib.path` is missing", 3, 8, "grib: FILE"},
      {"input: {grib: {path: 5}}", "`input.grib.path` must be text, not the integer 5", 3, 22, "quotes"},
      {"input: {grib: [a, b]}", "`input.grib` takes options by name, not a list", 3, 15, "{grib: {key"},
      {"input: {grib: {pth: a}}", "unknown key `input.grib.pth`", 3, 16, "did you mean `path`?"},
      {"input: {grib: {path: a, pre_processors: [coordinate_reorder]}}",
       "pre-processor 'coordinate_reorder' is not supported by this build", 3, 42, "forward_transform_filter"},
      {"input: {grib: {path: a, variables: [2t]}}", "`input.grib.variables` is not supported by this build", 3, 25,
       "checkpoint"},
      {"input: {dummy: 5}", "`input.dummy` takes no value, not the integer 5", 3, 16, "alone"},
      {"input: {dummy: {x: 1}}", "unknown key `input.dummy.x`", 3, 17, "nothing can be set"},
      {"input: {era5: {grib: a}, cerra: {gribb: b}}", "unknown input 'gribb'", 3, 34, "did you mean 'grib'?"},
      {"input: {era5: {grib: a}, cerra: null}", "`input.cerra` must be a name or a map of one name, not null", 3, 33,
       "name"},
      {"input: {era5: {grib: {pth: a}}, cerra: dummy}", "unknown key `input.era5.grib.pth`", 3, 23, "`path`?"},
      {"constant_forcings: {netcdf: x}", "input 'netcdf' is not supported by this build", 3, 21, "grib"},
      {"dynamic_forcings: test",
       "input 'test' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does not "
       "read",
       3, 19, "grib"},
  });
  const ConfigCase test;
  const UserError error = error_of([&] { parse_run_config(test.document("checkpoint: a\n")); });
  CHECK(error.message().starts_with("input 'test' looks up the dataset of the training by its name"));
  CHECK(error.where() == test.path("config.yaml"));
}

}  // namespace tradewind::config
