// Every top-level key: what it accepts and what it refuses, as the reference's validation does, with the exact place.
#include <doctest/doctest.h>

#include <limits>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("a configuration of three lines has the defaults") {
  const ConfigCase test;
  const RunConfig config = test.run("");
  CHECK(config.checkpoint == "a.ckpt");
  CHECK(std::get<GribInputConfig>(config.input).path == "a.grib");
  CHECK(config.runner.name == "auto");
  CHECK(!config.runner.parallel);
  CHECK(!config.date);
  CHECK(config.lead_time == std::chrono::hours(240));
  CHECK(config.verbosity == 0);
  CHECK(std::get<PrinterOutputConfig>(config.output).max_lines == 4);
  CHECK(config.post_processors.empty());
  CHECK(!config.device);
  CHECK(!config.precision);
  CHECK(!config.seed);
  CHECK(!config.allow_nans);
  CHECK(config.write_initial_state);
  CHECK(config.initial_state_categories == std::vector<std::string>{"prognostics", "constant_forcings"});
  CHECK(!config.output_frequency);
  CHECK(!config.constant_forcings);
  CHECK(!config.dynamic_forcings);
  CHECK(config.env.empty());
  CHECK(config.datasets.empty());
}

TEST_CASE("the golden cases' configurations are read") {
  for (const std::string name : {"config.yaml", "config-parallel.yaml"}) {
    const std::string path = std::string(TRADEWIND_GOLDEN_DIR) + "/gt-transformer/" + name;
    const RunConfig config = parse_run_config(merge_config({path, {}, {}}, {}, Time()));
    CHECK(config.checkpoint == "inference-last.ckpt");
    CHECK(config.device == "cpu");
    CHECK(config.precision == Precision::f32);
    CHECK(config.lead_time == std::chrono::hours(48));
    CHECK(iso_date(*config.date) == "2024-01-15T00:00:00");
    const auto& output = std::get<GribOutputConfig>(config.output);
    REQUIRE(output.templates.size() == 2);
    CHECK(std::get<InputTemplates>(output.templates[0]).fallback.at("tcc") == "2t");
    CHECK(std::holds_alternative<BuiltinTemplates>(output.templates[1]));
    CHECK(config.runner.parallel == (name == "config-parallel.yaml"));
    if (config.runner.parallel) {
      CHECK(config.runner.cluster.world_size == 2);
      CHECK(config.runner.cluster.port == 29511);
    }
  }
}

TEST_CASE("unknown keys are refused with the nearest known one") {
  check_refused({
      {"lead_tme: 6h", "unknown key `lead_tme`", 3, 1, "did you mean `lead_time`?"},
      {"leadtime: 6h", "unknown key `leadtime`", 3, 1, "did you mean `lead_time`?"},
      {"name: x\npost-processors: []", "unknown key `post-processors`", 4, 1, "did you mean `post_processors`?"},
      {"ouptut: printer", "unknown key `ouptut`", 3, 1, "did you mean `output`?"},
      {"forcings: x", "unknown key `forcings`", 3, 1, "known here: allow_nans, check_variables_compatibility"},
      {"boundary: x", "unknown key `boundary`", 3, 1, "known here"},
      {"report_error: true", "unknown key `report_error`", 3, 1, "known here"},
      {"5: x", "unknown key `5`", 3, 1, "known here"},
  });
  const ConfigCase test;
  // What a misspelt key stands for is not called missing as well.
  const Refusals slip = refused([&] { parse_run_config(test.document("checkpiont: a\ninptu: {grib: a}\n")); });
  REQUIRE(slip.size() == 2);
  CHECK(slip[0] == Refusal{"unknown key `checkpiont`", test.at(1, 1), "did you mean `checkpoint`?"});
  CHECK(slip[1] == Refusal{"unknown key `inptu`", test.at(2, 1), "did you mean `input`?"});
  const UserError override_slip = error_of([&] { test.run("", {"foo.bar=1"}); });
  CHECK(override_slip.where() == "override 'foo.bar=1'");
}

TEST_CASE("checkpoint") {
  const ConfigCase test;
  const Refusals missing = refused([&] { parse_run_config(test.document("name: x\n")); });
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].what == "`checkpoint` is missing");
  CHECK(missing[0].where == test.path("config.yaml"));
  CHECK(missing[1].what ==
        "input 'test' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does not "
        "read");
  const UserError number = error_of([&] { parse_run_config(test.document("checkpoint: 5\ninput: dummy\n")); });
  CHECK(number.message() == "`checkpoint` must be text, not the integer 5");
}

TEST_CASE("date") {
  const ConfigCase test;
  const std::pair<const char*, const char*> table[] = {
      {"2020-01-01", "2020-01-01T00:00:00"},
      {"2020-01-01T12", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00:00", "2020-01-01T12:00:00"},
      {"2020-01-01T12:00:00Z", "2020-01-01T12:00:00"},
      {"2020-01-01 12:00:00+02:00", "2020-01-01T10:00:00"},
      {"2020-1-1 6:00:00", "2020-01-01T06:00:00"},
      {"20200101", "2020-01-01T00:00:00"},
      {"'20200101'", "2020-01-01T00:00:00"},
      {"'20200101 12:00'", "2020-01-01T12:00:00"},
      {"0", "2026-03-01T00:00:00"},
      {"-1", "2026-02-28T00:00:00"},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(iso_date(*test.run("date: " + std::string(text)).date) == expected);
  }
  CHECK(!test.run("date: null").date);
  CHECK(!test.run("date:").date);
  check_refused({
      {"date: '-1'", "`date`: cannot read '-1' as a date: it does not start with YYYY-MM-DD or YYYYMMDD", 3, 7,
       "without quotes"},
      {"date: 2020-02-30", "`date`: cannot read '2020-02-30' as a date: there is no such day", 3, 7, "YYYY-MM-DD"},
      {"date: true", "`date`: cannot read '1' as a date: an integer is YYYYMMDD, or 0 or less for days from today", 3,
       7, "YYYY-MM-DD"},
      {"date: -1.0", "`date` must be a date, not the number -1.0", 3, 7, "days from today"},
      {"date: [1]", "`date` must be a date, not a list", 3, 7, "days from today"},
      {"date: tomorrow", "`date`: cannot read 'tomorrow' as a date: it does not start with YYYY-MM-DD or YYYYMMDD", 3,
       7, "YYYY-MM-DD"},
  });
}

TEST_CASE("lead_time") {
  const ConfigCase test;
  const std::pair<const char*, long long> table[] = {
      {"6", 6 * 3600},
      {"6.0", 6 * 3600},
      {"true", 3600},
      {"'240'", 240 * 3600},
      {"1e2", 100 * 3600},
      {"0600", 384 * 3600},
      {"6:30", 390 * 3600},  // sexagesimal, as YAML 1.1 has it
      {"'6:30'", 6 * 3600 + 1800},
      {"10d", 864000},
      {"90m", 5400},
      {"PT36H", 129600},
      {"0", 0},
      {"'1 day, 0:30:00'", 88200},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(test.run("lead_time: " + std::string(text)).lead_time.count() == expected);
  }
  check_refused({
      {"lead_time: 1.5h", "`lead_time`: cannot read '1.5h' as a duration", 3, 12, "6h"},
      {"lead_time: 6.5", "`lead_time` must be a duration, not the number 6.5", 3, 12, "90m"},
      {"lead_time: null", "`lead_time` must be a duration, not null", 3, 12, "6h"},
      {"lead_time: -6h", "`lead_time` is negative: -6h", 3, 12, "10d"},
  });
}

TEST_CASE("texts must be texts") {
  const ConfigCase test;
  CHECK(test.run("name: x\ndescription: two words").description == "two words");
  CHECK(test.run("name: null").name.empty());
  check_refused({
      {"name: 5", "`name` must be text, not the integer 5", 3, 7, "put it in quotes: name: '5'"},
      {"description: yes", "`description` must be text, not true", 3, 14, "'true'"},
      {"device: 0", "`device` must be text, not the integer 0", 3, 9, "quotes"},
      {"precision: 16", "`precision` must be text, not the integer 16", 3, 12, "put it in quotes: precision: '16'"},
      {"output_frequency: 6", "`output_frequency` must be text, not the integer 6", 3, 19, "quotes"},
  });
}

TEST_CASE("integers and booleans are as lenient as the reference's") {
  const ConfigCase test;
  for (const char* text : {"2", "'2'", "2.0", "' 2 '", "'2.0'", "'+2'"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(test.run("verbosity: " + std::string(text)).verbosity == 2);
  }
  CHECK(test.run("verbosity: yes").verbosity == 1);
  CHECK(test.run("verbosity: 9").verbosity == 3);
  for (const char* text : {"true", "1", "1.0", "'yes'", "'Y'", "y", "'ON'", "on"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(test.run("write_initial_state: " + std::string(text)).write_initial_state);
  }
  for (const char* text : {"false", "0", "'no'", "off", "n", "'F'"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(!test.run("write_initial_state: " + std::string(text)).write_initial_state);
  }
  check_refused({
      {"verbosity: 2.5", "`verbosity` must be an integer, not the number 2.5", 3, 12, "whole"},
      {"verbosity: null", "`verbosity` must be an integer, not null", 3, 12, "whole"},
      {"verbosity: high", "`verbosity` must be an integer, not the text 'high'", 3, 12, "whole"},
      {"preload_buffer_size: big", "`preload_buffer_size` must be an integer, not the text 'big'", 3, 22, "whole"},
      {"write_initial_state: 2", "`write_initial_state` must be true or false, not the integer 2", 3, 22, "true"},
      {"write_initial_state: ' true'", "`write_initial_state` must be true or false, not the text ' true'", 3, 22, ""},
      {"use_grib_paramid: null", "`use_grib_paramid` must be true or false, not null", 3, 19, "true"},
      {"preload_checkpoint: [1]", "`preload_checkpoint` must be true or false, not a list", 3, 21, "true"},
  });
}

TEST_CASE("allow_nans has three states") {
  const ConfigCase test;
  CHECK(!test.run("allow_nans: null").allow_nans);
  CHECK(test.run("allow_nans: yes").allow_nans == true);
  CHECK(test.run("allow_nans: 'false'").allow_nans == false);
  check_refused({{"allow_nans: maybe", "`allow_nans` must be true or false, not the text 'maybe'", 3, 13, "true"}});
}

TEST_CASE("device and precision") {
  const ConfigCase test;
  for (const char* text : {"cpu", "cuda", "cuda:0", "cuda:12"}) {
    CHECK(test.run("device: " + std::string(text)).device == text);
  }
  for (const char* text : {"'16'", "16-mixed", "f16", "float16"}) {
    CHECK(test.run("precision: " + std::string(text)).precision == Precision::f16);
  }
  for (const char* text : {"bf16", "bf16-mixed", "b16", "b16-mixed", "bfloat16"}) {
    CHECK(test.run("precision: " + std::string(text)).precision == Precision::bf16);
  }
  for (const char* text : {"'32'", "f32", "float32"}) {
    CHECK(test.run("precision: " + std::string(text)).precision == Precision::f32);
  }
  check_refused({
      {"device: mps", "device 'mps' is not supported by this build", 3, 9, "cpu, cuda and cuda:N"},
      {"device: 'cuda:'", "device 'cuda:' is not supported by this build", 3, 9, "cuda:N"},
      {"precision: flot32", "precision 'flot32' is not known", 3, 12, "did you mean"},
      {"precision: 8-bit", "precision '8-bit' is not known", 3, 12, "it is one of 16, 16-mixed"},
  });
}

TEST_CASE("seed: the configuration wins over ANEMOI_BASE_SEED") {
  ConfigCase test;
  CHECK(test.run("seed: 5").seed == 5);
  CHECK(test.run("seed: '5'").seed == 5);
  CHECK(!test.run("seed: null").seed);
  test.environment.set("ANEMOI_BASE_SEED", "7");
  CHECK(test.run("").seed == 7);
  Findings findings;
  CHECK(parse_run_config(test.document(ConfigCase::complete("seed: 5")), findings).seed == 5);
  const std::vector<std::string> warnings = findings.warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == test.at(3, 7) + ": `seed` counts, ANEMOI_BASE_SEED=7 does not");
  test.environment.set("ANEMOI_BASE_SEED", "many");
  CHECK(error_of([&] { test.run(""); }).where() == "environment");
  check_refused({{"seed: 5.5", "`seed` must be an integer, not the number 5.5", 3, 7, "whole"}});
}

TEST_CASE("initial_state_categories") {
  const ConfigCase test;
  CHECK(test.run("initial_state_categories: [prognostics, dynamic_forcings]").initial_state_categories.size() == 2);
  CHECK(test.run("initial_state_categories: []").initial_state_categories.empty());
  check_refused({
      {"initial_state_categories: prognostics", "`initial_state_categories` must be a list, not the text 'prognostics'",
       3, 27, "[item"},
      {"initial_state_categories: [1]", "`initial_state_categories.0` must be text, not the integer 1", 3, 28,
       "quotes"},
      {"initial_state_categories: [prognostic]", "`initial_state_categories.0` cannot be 'prognostic'", 3, 28,
       "did you mean 'prognostics'?"},
  });
}

TEST_CASE("output_frequency") {
  const ConfigCase test;
  CHECK(test.run("output_frequency: 12h").output_frequency == std::chrono::hours(12));
  CHECK(test.run("output_frequency: '6'").output_frequency == std::chrono::hours(6));
  CHECK(!test.run("output_frequency: null").output_frequency);
  check_refused({
      {"output_frequency: often", "`output_frequency`: cannot read 'often' as a duration", 3, 19, "6h"},
      {"output_frequency: 0h", "`output_frequency` must be longer than nothing", 3, 19, "6h"},
  });
}

TEST_CASE("what a sampler is asked for") {
  const ConfigCase test;
  const auto of = [&](const std::string& text) { return test.run("predict_kwargs: " + text).sampling; };
  CHECK(of("{}") == sampling::Choice());
  CHECK(of("{schedule_params: null, sampler_params: {}}") == sampling::Choice());
  const sampling::Choice choice =
      of("{schedule_params: {schedule_type: linear, num_steps: 20, sigma_max: 8e1}, sampler_params: {S_max: .inf, "
         "euler_final_step: false}}");
  CHECK(choice.schedule == sampling::Options{{"schedule_type", {std::string("linear")}},
                                             {"num_steps", {std::int64_t{20}}},
                                             {"sigma_max", {80.0}}});
  CHECK(choice.sampler ==
        sampling::Options{{"S_max", {std::numeric_limits<double>::infinity()}}, {"euler_final_step", {false}}});
  CHECK(choice.schedule.at("num_steps").where.ends_with(":3:70"));
  check_refused({
      {"predict_kwargs: {schedule_params: [1]}", "`predict_kwargs.schedule_params` must be a map, not a list", 3, 35,
       "{name"},
      {"predict_kwargs: {schedule_params: {num_step: 4}}", "unknown option `predict_kwargs.schedule_params.num_step`",
       3, 36, "did you mean 'num_steps'? known: schedule_type"},
      {"predict_kwargs: {schedule_params: {num_steps: '4'}}",
       "`predict_kwargs.schedule_params.num_steps` must be a whole number from 1 to 100000, not the text '4'", 3, 47,
       ""},
      {"predict_kwargs: {schedule_params: {sigma_max: [1]}}",
       "`predict_kwargs.schedule_params.sigma_max` must be a number, a text, true or false, not a list", 3, 47, ""},
      {"predict_kwargs: {sampler_params: {S_churn: -1}}",
       "`predict_kwargs.sampler_params.S_churn` must be a number, 0 or more, not -1", 3, 44, ""},
      {"predict_kwargs: {sampler_params: {sampler: huen}}",
       "`predict_kwargs.sampler_params.sampler`: no sampler 'huen'", 3, 44, "did you mean 'heun'?"},
  });
}

TEST_CASE("maps") {
  const ConfigCase test;
  CHECK(test.run("typed_variables: {a: {mars: {x: 1}}}").typed_variables.dump() == R"({"a":{"mars":{"x":1}}})");
  CHECK(test.run("patch_metadata: {a: {b: 1}}").patch_metadata.dump() == R"({"a":{"b":1}})");
  CHECK(test.run("env: {A: 1, B: x, C: true, D: 2.0, E: ''}").env ==
        std::map<std::string, std::string>{{"A", "1"}, {"B", "x"}, {"C", "1"}, {"D", "2"}, {"E", ""}});
  check_refused({
      {"typed_variables: {a: 1}", "`typed_variables.a` must be a map, not the integer 1", 3, 22, "{name"},
      {"typed_variables: []", "`typed_variables` must be a map, not a list", 3, 18, "{name"},
      {"predict_kwargs: null", "`predict_kwargs` must be a map, not null", 3, 17, "{name"},
      {"patch_metadata: null", "`patch_metadata` must be a map, not null", 3, 17, "{name"},
      {"env: {A: 1.5}", "`env.A` must be an integer, not the number 1.5", 3, 10, "whole"},
      {"env: {A: null}", "`env.A` must be text, not null", 3, 10, "text"},
      {"env: {A: [1]}", "`env.A` must be text, not a list", 3, 10, "text"},
      {"env: x", "`env` must be a map, not the text 'x'", 3, 6, "{name"},
      {"debugging_info: x", "`debugging_info` must be a map, not the text 'x'", 3, 17, "{name"},
      {"development_hacks: x", "`development_hacks` must be a map, not the text 'x'", 3, 20, "{name"},
  });
}

TEST_CASE("patch_metadata from a file") {
  const ConfigCase test;
  const std::string patch = test.write("patch.yaml", "dataset:\n  variables: [a]\n");
  CHECK(test.run("patch_metadata: " + patch).patch_metadata.dump() == R"({"dataset":{"variables":["a"]}})");
  const UserError error = error_of([&] { test.run("patch_metadata: " + test.path("none.yaml")); });
  CHECK(error.message() == "`patch_metadata`: " + test.path("none.yaml") + ": there is no such file");
  CHECK(error.where() == test.at(3, 17));
}

}  // namespace tradewind::config
