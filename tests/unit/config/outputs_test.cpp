// Outputs and templates: every option and every refusal, with its place.
#include <cmath>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

GribOutputConfig grib_output(const std::string& options) {
  const ConfigCase test;
  return std::get<GribOutputConfig>(test.run("output: {grib: {path: o.grib, " + options + "}}").output);
}

}  // namespace

TEST_CASE("outputs") {
  const ConfigCase test;
  for (const char* yaml :
       {"output: {grib: o.grib}", "output: {grib: {path: o.grib}}", "output: {data: {grib: o.grib}}"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const auto grib = std::get<GribOutputConfig>(for_dataset(test.run(yaml), "data").output);
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
  const auto parallel = [&](const std::string& output) {
    return std::get<ParallelOutputConfig>(test.run("output: {parallel: {" + output + "}}").output);
  };
  const ParallelOutputConfig below = parallel("num_writers: 3, output: {grib: {path: o, check_encoding: false}}");
  const auto& grib = std::get<GribOutputConfig>(*below.output);
  CHECK(grib.path == "o");
  CHECK_FALSE(grib.check_encoding);
  CHECK(below.writers.count == 3);
  CHECK_FALSE(below.writers.fields_per_chunk);
  CHECK(parallel("grib: o").writers.count == 1);
  CHECK(parallel("grib: {path: o}, num_writers: 2").writers.count == 2);
  CHECK(parallel("grib: o, chunk_strategy: {by_size: {fields_per_chunk: 4}}").writers.fields_per_chunk == 4);
  CHECK_FALSE(parallel("grib: o, chunk_strategy: by_worker").writers.fields_per_chunk);
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

TEST_CASE("a tee holds outputs, also other tees; what stands before it stands before all") {
  const ConfigCase test;
  const RunConfig config = test.run(
      "output: {tee: {post_processors: [{extract_slice: 9}], outputs: [printer, {tee: [{raw: d}, none]}, "
      "{grib: {path: o, post_processors: [accumulate_from_start_of_forecast]}}]}}");
  const auto& tee = std::get<TeeOutputConfig>(config.output);
  REQUIRE(tee.outputs.size() == 3);
  CHECK(std::get<TeeOutputConfig>(tee.outputs[1]).outputs.size() == 2);
  const std::vector<OutputLeaf> leaves = leaves_of(config.output);
  REQUIRE(leaves.size() == 3);
  CHECK(std::holds_alternative<PrinterOutputConfig>(*leaves[0].output));
  CHECK(leaves[0].filters.size() == 1);
  CHECK(std::get<RawOutputConfig>(*leaves[1].output).dir == "d");
  CHECK(leaves[1].filters.size() == 1);
  CHECK(leaves[2].filters.size() == 2);
  CHECK(std::get<TeeOutputConfig>(test.run("output: {tee: [printer]}").output).outputs.size() == 1);
  Uses uses;
  config.output.uses(uses);
  REQUIRE(uses.paths.size() == 2);
  CHECK(uses.paths[0].path == "d/{any}.npz");
  CHECK(test.findings(ConfigCase::complete("output: {tee: {outputs: [printer], output_frequency: 6}}"))
            .warnings()
            .at(0)
            .find("`output.tee.output_frequency` has no effect: say it of each output") != std::string::npos);
}

TEST_CASE("netcdf: options, and the file that is written") {
  const ConfigCase test;
  const auto all = std::get<NetcdfOutputConfig>(test.run("output: {netcdf: a.nc}").output);
  CHECK(all.path == "a.nc");
  CHECK_FALSE(all.doubles);
  CHECK(std::isnan(all.missing_value));
  const RunConfig run = test.run(
      "output: {netcdf: {path: b.nc, float_size: f8, missing_value: -9999, variables: tp, output_frequency: 12h}}");
  const auto& some = std::get<NetcdfOutputConfig>(run.output);
  CHECK(some.doubles);
  CHECK(some.missing_value == -9999);
  CHECK(some.common.variables.has_value());
  Uses uses;
  run.output.uses(uses);
  REQUIRE(uses.paths.size() == 1);
  CHECK(uses.paths[0].path == "b.nc");
  CHECK((uses.paths[0].how == PathUse::How::writes_beside));
}

TEST_CASE("outputs that are refused") {
  check_refused({
      {"output: netcdf", "`output.netcdf.path` is missing", 3, 9, "netcdf: FILE"},
      {"output: {netcdf: {path: o, float_size: f2}}", "`output.netcdf.float_size` cannot be 'f2'", 3, 40, "f4"},
      {"output: {netcdf: {path: o, missing_value: none}}",
       "`output.netcdf.missing_value` must be a number, not the text 'none'", 3, 43, ""},
      {"output: {netcdf: {path: o, compression: 4}}", "unknown key `output.netcdf.compression`", 3, 28, "path"},
      {"output: {zarr: o.zarr}", "output 'zarr' is not supported by this build", 3, 10, "grib, printer, none"},
      {"output: {raw: {}}", "`output.raw.dir` is missing", 3, 10, "raw: FOLDER"},
      {"output: {raw: {dir: d, template: '{step:03}.npz'}}",
       "`output.raw.template` has '{step:03}', which means nothing here", 3, 34, "{step}"},
      {"output: {raw: {dir: d, template: 'x{date'}}", "`output.raw.template` has '{date', which means nothing here", 3,
       34, "{date}"},
      {"output: {raw: {dir: d, template: '{basetime}.npz'}}", "`output.raw.template` gives every state the same file",
       3, 34, "{date} or {step}"},
      {"output: {tee: []}", "`output.tee` is empty", 3, 15, "printer"},
      {"output: tee", "`output.tee.outputs` is missing", 3, 9, "printer"},
      {"output: {tee: printer}", "`output.tee` takes no value, not the text 'printer'", 3, 15, "alone"},
      {"output: {tee: [printer, {grip: x}]}", "unknown output 'grip'", 3, 26, "'grib'"},
      {"output: {tee: {outputs: [{grib: {pth: x}}]}}", "unknown key `output.tee.outputs.0.grib.pth`", 3, 34, "`path`"},
      {"output: {parallel: {tee: [printer]}}", "output in `output.parallel` 'tee' is not supported by this build", 3,
       21, "grib"},
      {"output: {parallel: {num_writers: 2}}", "`output.parallel.output` is missing", 3, 10, "{grib: FILE}"},
      {"output: {parallel: {output: {grib: o}, num_writers: 0}}",
       "`output.parallel.num_writers` is 0, it must be 1 or more", 3, 53, "from 1 on"},
      {"output: {parallel: {output: {grib: o}, writers: 2}}", "unknown key `output.parallel.writers`", 3, 40,
       "num_writers"},
      {"output: {parallel: {output: {netcdf: o}}}",
       "output in `output.parallel` 'netcdf' is not supported by this build", 3, 30, "grib"},
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
      {"output: {grib: {path: o, post_processors: [accumulate]}}", "unknown post-processor 'accumulate'", 3, 44,
       "accumulate_from_start_of_forecast"},
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

TEST_CASE("post-processors stand before an output, in any order, and leaves tell all that is on their way") {
  const ConfigCase test;
  const RunConfig config = test.run(
      "output: {parallel: {num_writers: 2, grib: {path: o, post_processors: [{extract_slice: [0, 9]}, "
      "accumulate_from_start_of_forecast, {extract_slice: 5}]}}}");
  const std::vector<OutputLeaf> leaves = leaves_of(config.output);
  REQUIRE(leaves.size() == 1);
  CHECK(leaves[0].writers->count == 2);
  CHECK(std::get<GribOutputConfig>(*leaves[0].output).path == "o");
  REQUIRE(leaves[0].filters.size() == 3);
  CHECK(std::holds_alternative<AccumulateFromStart>(*leaves[0].filters[1]));
  CHECK(std::get<ExtractSlice>(*leaves[0].filters[2]).stop == 5);
  CHECK(leaves_of(test.run("output: none").output).empty());
  Uses uses;
  config.output.uses(uses);
  REQUIRE(uses.paths.size() == 1);
  CHECK(uses.paths[0].parts == 2);
  CHECK(uses.paths[0].at.where == test.at(3, 50));
}

}  // namespace tradewind::config
