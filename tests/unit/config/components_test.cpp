// Inputs, outputs, templates, post-processors, runners and clusters: every option and every refusal, with its place.
#include <doctest/doctest.h>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

// The configuration is `yaml` from its line 3 on.
struct Bad {
  const char* yaml;
  const char* message;
  int line, column;
  const char* remedy;  // a part of it
};

void check_refused(std::initializer_list<Bad> table) {
  const ConfigCase test;
  for (const Bad& bad : table) {
    const std::string shown(bad.yaml);
    CAPTURE(shown);
    const UserError error = error_of([&] { test.run(bad.yaml); });
    CHECK(error.message() == bad.message);
    CHECK(error.where() == test.at(bad.line, bad.column));
    CHECK(error.remedy().find(bad.remedy) != std::string::npos);
  }
}

GribOutputConfig grib_output(const std::string& options) {
  const ConfigCase test;
  return std::get<GribOutputConfig>(test.run("output: {grib: {path: o.grib, " + options + "}}").output);
}

}  // namespace

TEST_CASE("inputs") {
  const ConfigCase test;
  for (const char* yaml : {"input: {grib: x/*.grib}", "input: {grib: {path: x/*.grib}}",
                           "input: {_type: grib, path: x/*.grib}", "input: {data: {grib: x/*.grib}}"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const RunConfig config = test.run(yaml);
    CHECK(std::get<GribInputConfig>(config.input).path == "x/*.grib");
    CHECK(config.dataset.has_value() == (std::string(yaml).find("data:") != std::string::npos));
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

TEST_CASE("inputs that are refused") {
  check_refused({
      {"input: test", "input 'test' is not supported by this build", 3, 8, "write `input: {grib: FILE}`"},
      {"input: {dataset: x.zarr}", "input 'dataset' is not supported by this build", 3, 9, "anemoi-datasets"},
      {"input: {netcdf: x.nc}", "input 'netcdf' is not supported by this build", 3, 9, "grib, dummy, empty"},
      {"input: mars", "input 'mars' is not supported by this build", 3, 8, "retrieve"},
      {"input: {repeated_dates: {}}", "input 'repeated_dates' is not supported by this build", 3, 9, "grib"},
      {"input: {repeated-dates: {}}", "input 'repeated-dates' is not supported by this build", 3, 9, "grib"},
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
      {"input: {grib: {path: a, pre_processors: [no_missing_values]}}",
       "pre-processor 'no_missing_values' is not supported by this build", 3, 42, "beforehand"},
      {"input: {grib: {path: a, variables: [2t]}}", "`input.grib.variables` is not supported by this build", 3, 25,
       "checkpoint"},
      {"input: {dummy: 5}", "`input.dummy` takes no value, not the integer 5", 3, 16, "alone"},
      {"input: {dummy: {x: 1}}", "unknown key `input.dummy.x`", 3, 17, "nothing can be set"},
      {"input: {era5: {grib: a}, cerra: {grib: b}}",
       "`input` names several datasets, which this build does not support", 3, 26, "anemoi-inference"},
      {"input: {a: {grib: x}}\noutput: {b: {grib: y}}", "`output` is for the dataset 'b', another key is for 'a'", 4,
       10, "same name"},
      {"constant_forcings: {netcdf: x}", "input 'netcdf' is not supported by this build", 3, 21, "grib"},
      {"dynamic_forcings: test", "input 'test' is not supported by this build", 3, 19, "grib"},
  });
  const ConfigCase test;
  const UserError error = error_of([&] { parse_run_config(test.document("checkpoint: a\n")); });
  CHECK(error.message() == "input 'test' is not supported by this build");
  CHECK(error.where() == test.path("config.yaml"));
}

TEST_CASE("outputs") {
  const ConfigCase test;
  for (const char* yaml :
       {"output: {grib: o.grib}", "output: {grib: {path: o.grib}}", "output: {data: {grib: o.grib}}"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const auto grib = std::get<GribOutputConfig>(test.run(yaml).output);
    CHECK(grib.path == "o.grib");
    CHECK(grib.check_encoding);
    CHECK(grib.split_output);
    CHECK(grib.negative_step_mode == "error");
    CHECK(grib.missing_value == -9999);
    CHECK(grib.templates.empty());
    CHECK(!grib.common.variables);
    CHECK(!grib.common.output_frequency);
    CHECK(!grib.common.write_initial_state);
  }
  CHECK(std::holds_alternative<NoOutputConfig>(test.run("output: none").output));
  CHECK(std::holds_alternative<NoOutputConfig>(test.run("output: {none: {output_frequency: 6}}").output));
  CHECK(std::get<PrinterOutputConfig>(test.run("output: {printer: {max_lines: 9, path: p}}").output).max_lines == 9);
  CHECK(std::get<PrinterOutputConfig>(test.run("output: {printer: {path: p}}").output).path == "p");
  const auto all = std::get<PrinterOutputConfig>(test.run("output: {printer: {variables: all}}").output);
  CHECK(all.max_lines == -1);
  CHECK(!all.common.variables);
}

TEST_CASE("the parallel output: a grib output in so many files, inline or below `output`") {
  const ConfigCase test;
  const auto grib = [&](const std::string& output) {
    return std::get<GribOutputConfig>(test.run("output: {parallel: {" + output + "}}").output);
  };
  const GribOutputConfig below = grib("num_writers: 3, output: {grib: {path: o, check_encoding: false}}");
  CHECK(below.path == "o");
  CHECK_FALSE(below.check_encoding);
  REQUIRE(below.writers);
  CHECK(below.writers->count == 3);
  CHECK_FALSE(below.writers->fields_per_chunk);
  CHECK(grib("grib: o").writers->count == 1);
  CHECK(grib("grib: {path: o}, num_writers: 2").writers->count == 2);
  CHECK(grib("grib: o, chunk_strategy: {by_size: {fields_per_chunk: 4}}").writers->fields_per_chunk == 4);
  CHECK_FALSE(grib("grib: o, chunk_strategy: by_worker").writers->fields_per_chunk);
  CHECK_FALSE(std::get<GribOutputConfig>(test.run("output: {grib: o}").output).writers);
}

TEST_CASE("options of the grib output") {
  const auto grib = grib_output(
      "encoding: {class: ai, stream: oper, number: 3}, grib1_keys: {tp: {tablesVersion: 128}}, "
      "grib2_keys: {'2t': {level: 2}}, check_encoding: no, split_output: false, negative_step_mode: skip, "
      "missing_value: 1.5, modifiers: [], archive_requests: null, post_processors: [], write_initial_state: false, "
      "output_frequency: 12");
  CHECK(grib.encoding.dump() == R"({"class":"ai","stream":"oper","number":3})");
  CHECK(grib.grib1_keys.dump() == R"({"tp":{"tablesVersion":128}})");
  CHECK(grib.grib2_keys.dump() == R"({"2t":{"level":2}})");
  CHECK(!grib.check_encoding);
  CHECK(!grib.split_output);
  CHECK(grib.negative_step_mode == "skip");
  CHECK(grib.missing_value == 1.5);
  CHECK(grib.common.write_initial_state == false);
  CHECK(grib.common.output_frequency == std::chrono::hours(12));
}

TEST_CASE("selection of variables") {
  const auto one = grib_output("variables: 2t").common.variables;
  REQUIRE(one->patterns.size() == 1);
  CHECK(one->patterns[0].glob == "2t");
  CHECK(!one->drop);
  const auto list = grib_output("variables: [2t, 't_*', {levtype: pl, levelist: [500, 850]}]").common.variables;
  REQUIRE(list->patterns.size() == 3);
  CHECK(list->patterns[1].glob == "t_*");
  CHECK(list->patterns[2].mars.at("levtype") == std::vector<std::string>{"pl"});
  CHECK(list->patterns[2].mars.at("levelist") == std::vector<std::string>{"500", "850"});
  const auto drop = grib_output("variables: {drop: 'q_*'}").common.variables;
  CHECK(drop->drop);
  CHECK(drop->patterns[0].glob == "q_*");
  const auto select = grib_output("variables: {select: [{param: z}, {}]}").common.variables;
  CHECK(!select->drop);
  CHECK(select->patterns.size() == 1);
  CHECK(!grib_output("variables: {}").common.variables);
  CHECK(!grib_output("variables: null").common.variables);
  check_refused({
      {"output: {grib: {path: o, variables: {select: a, drop: b}}}", "`output.grib.variables` has both select and drop",
       3, 49, "keep one"},
      {"output: {grib: {path: o, variables: {chose: a}}}", "unknown key `output.grib.variables.chose`", 3, 38, "known"},
      {"output: {grib: {path: o, variables: [5]}}",
       "`output.grib.variables.0` must be a name, a pattern or a map of MARS keys, not the integer 5", 3, 38, "2t"},
  });
}

TEST_CASE("templates of four kinds") {
  CHECK(grib_output("templates: []").templates.empty());
  CHECK(std::holds_alternative<BuiltinTemplates>(grib_output("templates: builtin").templates.at(0)));
  const auto many = grib_output("templates: [input, {input: {tp: 2t}}, {file: t.grib}, builtin]").templates;
  REQUIRE(many.size() == 4);
  CHECK(std::get<InputTemplates>(many[0]).fallback.empty());
  CHECK(std::get<InputTemplates>(many[1]).fallback.at("tp") == "2t");
  CHECK(std::get<FileTemplates>(many[2]).path == "t.grib");
  CHECK(std::get<FileTemplates>(many[2]).mode == "first");
  CHECK(!std::get<FileTemplates>(many[2]).variables);
  const auto file =
      std::get<FileTemplates>(grib_output("templates: {file: {path: t, mode: auto, variables: tp}}").templates.at(0));
  CHECK(file.mode == "auto");
  CHECK(file.variables == std::vector<std::string>{"tp"});
  const auto rules = std::get<SampleTemplates>(
      grib_output("templates: {samples: [[{levtype: pl}, 's/{grid}.grib'], [{}, x]]}").templates.at(0));
  REQUIRE(rules.rules.size() == 2);
  CHECK(rules.rules[0].first.dump() == R"({"levtype":"pl"})");
  CHECK(rules.rules[0].second == "s/{grid}.grib");
  for (const char* text : {"templates: {samples: i.yaml}", "templates: [{samples: {index_path: i.yaml}}]",
                           "templates: {samples: [i.yaml]}"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(std::get<SampleTemplates>(grib_output(text).templates.at(0)).index == "i.yaml");
  }
  check_refused({
      {"output: {grib: {path: o, templates: [fiel]}}", "unknown template provider 'fiel'", 3, 38,
       "did you mean 'file'"},
      {"output: {grib: {path: o, templates: file}}", "`output.grib.templates.file.path` is missing", 3, 37,
       "file: FILE"},
      {"output: {grib: {path: o, templates: {file: {path: t, mode: lats}}}}",
       "`output.grib.templates.file.mode` cannot be 'lats'", 3, 60, "did you mean 'last'?"},
      {"output: {grib: {path: o, templates: {file: {path: t, variables: [1]}}}}",
       "`output.grib.templates.file.variables.0` must be text, not the integer 1", 3, 66, "quotes"},
      {"output: {grib: {path: o, templates: [{input: {tp: 5}}]}}",
       "`output.grib.templates.0.input.tp` must be text, not the integer 5", 3, 51, "quotes"},
      {"output: {grib: {path: o, templates: samples}}",
       "`output.grib.templates.samples` needs rules or the path of an index", 3, 37, "samples:"},
      {"output: {grib: {path: o, templates: {samples: [[a]]}}}",
       "`output.grib.templates.samples.0` must be a list of two: what to match and the path", 3, 48, "levtype"},
      {"output: {grib: {path: o, templates: {builtin: {index_path: x}}}}",
       "`output.grib.templates.builtin.index_path` is not supported by this build", 3, 48, "samples"},
  });
}

TEST_CASE("outputs that are refused") {
  check_refused({
      {"output: {netcdf: o.nc}", "output 'netcdf' is not supported by this build", 3, 10, "grib, printer, none"},
      {"output: {zarr: o.zarr}", "output 'zarr' is not supported by this build", 3, 10, "grib"},
      {"output: {tee: [printer]}", "output 'tee' is not supported by this build", 3, 10, "grib"},
      {"output: {raw: d}", "output 'raw' is not supported by this build", 3, 10, "grib"},
      {"output: {parallel: {num_writers: 2}}", "`output.parallel.output` is missing", 3, 10, "{grib: FILE}"},
      {"output: {parallel: {output: {grib: o}, num_writers: 0}}",
       "`output.parallel.num_writers` is 0, it must be 1 or more", 3, 53, "from 1 on"},
      {"output: {parallel: {output: {grib: o}, writers: 2}}", "unknown key `output.parallel.writers`", 3, 40,
       "num_writers"},
      {"output: {parallel: {output: {netcdf: o}}}", "unknown output in `output.parallel` 'netcdf'", 3, 30, "grib"},
      {"output: {parallel: {printer: {}}}", "output in `output.parallel` 'printer' is not supported by this build", 3,
       21, "grib"},
      {"output: {parallel: {output: {grib: o}, chunk_strategy: by_metadata}}",
       "chunk strategy 'by_metadata' is not supported by this build", 3, 56, "by_worker, by_size"},
      {"output: {parallel: {output: {grib: o}, chunk_strategy: by_size}}",
       "`output.parallel.chunk_strategy.by_size.fields_per_chunk` is missing", 3, 56, "fields_per_chunk: 10"},
      {"output: plot", "output 'plot' is not supported by this build", 3, 9, "grib"},
      {"output: {truth: x}", "output 'truth' is not supported by this build", 3, 10, "grib"},
      {"output: grip", "unknown output 'grip'", 3, 9, "did you mean 'grib'?"},
      {"output: {grib: {}}", "`output.grib.path` is missing", 3, 10, "grib: FILE"},
      {"output: {grib: {path: o, encodings: {}}}", "unknown key `output.grib.encodings`", 3, 26, "`encoding`"},
      {"output: {grib: {path: o, encoding: ai}}", "`output.grib.encoding` must be a map, not the text 'ai'", 3, 36,
       "{"},
      {"output: {grib: {path: o, grib1_keys: {tp: 5}}}", "`output.grib.grib1_keys.tp` must be a map, not the integer 5",
       3, 43, "{"},
      {"output: {grib: {path: o, modifiers: [{hindcast: {reference_year: 2020}}]}}",
       "`output.grib.modifiers` is not supported by this build", 3, 26, "encoding"},
      {"output: {grib: {path: o, archive_requests: {path: a.json}}}",
       "`output.grib.archive_requests` is not supported by this build", 3, 26, "leave"},
      {"output: {grib: {path: o, post_processors: [accumulate_from_start_of_forecast]}}",
       "`output.grib.post_processors` is not supported by this build", 3, 26, "top-level"},
      {"output: {grib: {path: o, negative_step_mode: ignore}}", "`output.grib.negative_step_mode` cannot be 'ignore'",
       3, 46, "error, write, skip"},
      {"output: {grib: {path: o, missing_value: none}}",
       "`output.grib.missing_value` must be a number, not the text 'none'", 3, 41, "number"},
      {"output: {grib: {path: o, output_frequency: 0}}", "`output.grib.output_frequency` must be longer than nothing",
       3, 44, "6h"},
      {"output: {printer: {max_lines: few}}", "`output.printer.max_lines` must be an integer, not the text 'few'", 3,
       31, "whole"},
      {"output: {none: {x: 1}}", "unknown key `output.none.x`", 3, 17, "known here"},
  });
}

TEST_CASE("post-processors") {
  const ConfigCase test;
  const auto plain = test.run("post_processors: [accumulate_from_start_of_forecast]").post_processors;
  REQUIRE(plain.size() == 1);
  CHECK(!std::get<AccumulateFromStart>(plain[0]).accumulations);
  CHECK(!std::get<AccumulateFromStart>(plain[0]).allow_negative);
  const auto given = test.run(
                             "post_processors: [{accumulate-from-start-of-forecast: {accumulations: [tp, cp], "
                             "allow_negative: true}}]")
                         .post_processors;
  CHECK(std::get<AccumulateFromStart>(given.at(0)).accumulations == std::vector<std::string>{"tp", "cp"});
  CHECK(std::get<AccumulateFromStart>(given.at(0)).allow_negative);
  check_refused({
      {"post_processors: [extract_mask]", "post-processor 'extract_mask' is not supported by this build", 3, 19,
       "accumulate_from_start_of_forecast"},
      {"post_processors: [{backward_transform_filter: x}]",
       "post-processor 'backward_transform_filter' is not supported by this build", 3, 20, "accumulate"},
      {"post_processors: [accumulate_from_start_of_forcast]",
       "unknown post-processor 'accumulate_from_start_of_forcast'", 3, 19, "did you mean"},
      {"post_processors: {data: []}", "`post_processors` must be a list, not a map", 3, 18, "["},
      {"post_processors: [1]", "`post_processors.0` must be a name or a map of one name, not the integer 1", 3, 19, ""},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulation: [tp]}}]",
       "unknown key `post_processors.0.accumulate_from_start_of_forecast.accumulation`", 3, 56, "`accumulations`"},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: tp}}]",
       "`post_processors.0.accumulate_from_start_of_forecast.accumulations` must be a list, not the text 'tp'", 3, 71,
       "["},
  });
}

TEST_CASE("runners") {
  const ConfigCase test;
  for (const char* text : {"forecaster", "default", "offset-forecaster", "offset_forecaster", "{default: {}}"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(test.run("runner: " + std::string(text)).runner.name == "forecaster");
  }
  CHECK(test.run("runner: auto").runner.name == "auto");
  CHECK(test.run("runner: no_model").runner.name == "no-model");
  check_refused({
      {"runner: simple", "runner 'simple' is not supported by this build", 3, 9, "forecaster"},
      {"runner: temporal_downscaler", "runner 'temporal_downscaler' is not supported by this build", 3, 9, "auto"},
      {"runner: {external-graph: {graph: x}}", "runner 'external-graph' is not supported by this build", 3, 10, "auto"},
      {"runner: forcaster", "unknown runner 'forcaster'", 3, 9, "did you mean 'forecaster'?"},
      {"runner: null", "`runner` must be a name or a map of one name, not null", 3, 9, ""},
      {"runner: {default: {x: 1}}", "unknown key `runner.default.x`", 3, 20, "nothing can be set"},
      {"runner: {parallel: {base_runner: parallel}}", "the base runner of `parallel` cannot be parallel itself", 3, 34,
       "default"},
      {"runner: {parallel: {base_runner: simple}}", "runner 'simple' is not supported by this build", 3, 34, "auto"},
      {"runner: {parallel: {clutser: slurm}}", "unknown key `runner.parallel.clutser`", 3, 21, "`cluster`"},
      {"runner: {parallel: {world_size: 4}}", "unknown key `runner.parallel.world_size`", 3, 33,
       "cluster: {manual: 4}"},
  });
}

TEST_CASE("both spellings of the parallel runner") {
  const ConfigCase test;
  const RunnerConfig first = test.run("runner: parallel\nworld_size: 4").runner;
  CHECK(first.parallel);
  CHECK(first.name == "forecaster");
  CHECK(first.world_size == 4);
  CHECK(first.cluster.kind == ClusterKind::automatic);

  const RunnerConfig second =
      test.run("runner: {parallel: {base_runner: no-model, cluster: {manual: {world_size: 2, port: 29511}}}}").runner;
  CHECK(second.parallel);
  CHECK(second.name == "no-model");
  CHECK(!second.world_size);
  CHECK(second.cluster.kind == ClusterKind::manual);
  CHECK(second.cluster.world_size == 2);
  CHECK(second.cluster.port == 29511);

  CHECK(test.run("runner: {parallel: default}").runner.name == "forecaster");
  CHECK(test.run("runner: {parallel: {cluster: {manual: 3}}}").runner.cluster.world_size == 3);
  CHECK(test.run("runner: {parallel: {cluster: {manual: '3'}}}").runner.cluster.world_size == 3);
  CHECK(test.run("runner: {parallel: {cluster: slurm}}").runner.cluster.kind == ClusterKind::slurm);
  CHECK(test.run("runner: {parallel: {cluster: {mpi: {}}}}").runner.cluster.kind == ClusterKind::mpi);
  CHECK(test.run("runner: {parallel: {cluster: distributed}}").runner.cluster.kind == ClusterKind::distributed);
  CHECK(test.run("runner: {parallel: {cluster: {}}}").runner.cluster.kind == ClusterKind::automatic);
  CHECK(test.run("runner: parallel\ncluster: {manual: 2}").runner.cluster.world_size == 2);
  const auto custom = test.run(
                              "runner: {parallel: {cluster: {custom: {local_rank: L, global_rank: [G, H], "
                              "world_size: W, master_addr: A, master_port: P}}}}")
                          .runner.cluster;
  CHECK(custom.kind == ClusterKind::custom);
  CHECK(custom.mapping.at("global_rank") == "G,H");
  CHECK(custom.mapping.at("master_port") == "P");
  check_refused({
      {"world_size: 4", "`world_size` needs a parallel runner, but `runner` is auto", 3, 13, "runner: parallel"},
      {"cluster: slurm", "`cluster` needs a parallel runner, but `runner` is auto", 3, 10, "runner: parallel"},
      {"runner: parallel\nworld_size: 0", "`world_size` is 0, it must be from 1 to 2147483647", 4, 13, "range"},
      {"runner: parallel\nworld_size: many", "`world_size` must be an integer, not the text 'many'", 4, 13, "whole"},
      {"runner: {parallel: {cluster: {manual: 2}}}\nworld_size: 4", "`world_size` is 4, but the cluster says 2", 4, 13,
       "keep one"},
      {"runner: {parallel: {cluster: slurm}}\ncluster: mpi", "`cluster` is given twice, here and in `runner.parallel`",
       4, 10, "keep one"},
      {"runner: {parallel: {cluster: manual}}", "`runner.parallel.cluster.manual.world_size` is missing", 3, 30,
       "manual: 4"},
      {"runner: {parallel: {cluster: {manual: {world_size: 2, port: 70000}}}}",
       "`runner.parallel.cluster.manual.port` is 70000, it must be from 1 to 65535", 3, 61, "range"},
      {"runner: {parallel: {cluster: lsf}}", "unknown cluster 'lsf'", 3, 30, "slurm"},
      {"runner: {parallel: {cluster: {mpi: {use_mpi_backend: true}}}}",
       "`runner.parallel.cluster.mpi.use_mpi_backend` is not supported by this build", 3, 37, "NCCL"},
      {"runner: {parallel: {cluster: {custom: {local_rank: L}}}}",
       "`runner.parallel.cluster.custom.global_rank` is missing", 3, 31, "environment variable"},
  });
}

TEST_CASE("with plugins, unknown runners and their options are left to the run") {
  ConfigCase test;
  test.environment.set("TRADEWIND_PLUGINS", "libmine.so");
  const RunnerConfig alone = test.run("runner: {mine: {speed: 2}}").runner;
  CHECK(alone.name == "mine");
  CHECK(alone.base_options.dump() == R"({"speed":2})");
  const RunnerConfig base = test.run("runner: {parallel: {base_runner: mine, speed: 2, cluster: {manual: 2}}}").runner;
  CHECK(base.parallel);
  CHECK(base.name == "mine");
  CHECK(base.base_options.dump() == R"({"speed":2})");
}

}  // namespace tradewind::config
