// What is said of a configuration that is not quite right: all of it at once, each with its exact place.
#include <doctest/doctest.h>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("what has no effect is said, not hidden") {
  const ConfigCase test;
  const std::pair<const char*, const char*> table[] = {
      {"development_hacks: {x: 1}", "3:1: `development_hacks` has no effect"},
      {"debugging_info: {a: 1}", "3:1: `debugging_info` has no effect"},
      {"predict_kwargs: {fcstep: 1}", "3:18: `predict_kwargs.fcstep` is set by the run itself and left out"},
      {"predict_kwargs: {members: 4}", "3:18: `predict_kwargs.members` has no effect: models take no such option"},
      {"predict_kwargs: {schedule_param: {}}",
       "3:18: `predict_kwargs.schedule_param` has no effect: models take no such option; did you mean "
       "'schedule_params'?"},
      {"use_grib_paramid: on",
       "3:1: `use_grib_paramid` has no effect: it is for requests to MARS and for archive requests"},
      {"preload_checkpoint: yes", "3:1: `preload_checkpoint` has no effect: the checkpoint is mapped"},
      {"preload_buffer_size: 1024", "3:1: `preload_buffer_size` has no effect: the checkpoint is mapped"},
      {"verbosity: 9", "3:12: `verbosity` is from 0 to 3: 9 is taken as 3"},
      {"verbosity: -1", "3:12: `verbosity` is from 0 to 3: -1 is taken as 0"},
      {"verbosity: 1", "3:12: `verbosity` shows what --verbose does"},
      {"initial_state_categories: [prognostics, prognostics]",
       "3:41: `initial_state_categories.1`: prognostics is there already"},
      {"output: {none: {output_frequency: 6h}}",
       "3:17: `output.none.output_frequency` has no effect: the output `none` writes nothing"},
  };
  for (const auto& [yaml, line] : table) {
    const std::string shown(yaml);
    CAPTURE(shown);
    Findings findings;
    parse_run_config(test.document(ConfigCase::complete(yaml)), findings);
    CHECK_FALSE(findings.any_refusal());
    REQUIRE(!findings.warnings().empty());
    CHECK(findings.warnings()[0].starts_with(test.path("config.yaml") + ":" + line));
  }
  Findings none;
  parse_run_config(test.document(ConfigCase::complete(
                       "mid_processors: []\npre_processors: []\nuse_profiler: no\npredict_kwargs: {}\n"
                       "check_variables_compatibility: {}\ntrace_path: null\nuse_grib_paramid: off\n"
                       "preload_checkpoint: false\ndebugging_info: {}\ndevelopment_hacks: {}\nverbosity: 0\n")),
                   none);
  CHECK_FALSE(none.any_refusal());
  CHECK(none.warnings().empty());
}

TEST_CASE("everything that is wrong comes at once, in the order of the file; overrides and what is missing after it") {
  const ConfigCase test;
  const std::string defaults = test.write("defaults.yaml", "sed: 1\n");
  const Refusals all =
      test.findings(
              "lead_tme: 6h\n"
              "output:\n  grib: {pth: o.grib, check_encoding: maybe}\n"
              "date: tomorrow\n"
              "description: ${nowhere}\n"
              "post_processors: [extract_from_state, {accumulate_from_start_of_forecast: {accumulation: []}}]\n"
              "env: {A: 1.5, B: []}\n",
              {"verbosity=loud", "env.C=[]"}, {defaults})
          .refusals();
  const std::pair<const char*, std::string> expected[] = {
      {"unknown key `lead_tme`", test.at(1, 1)},
      {"unknown key `output.grib.pth`", test.at(3, 10)},
      {"`output.grib.check_encoding` must be true or false, not the text 'maybe'", test.at(3, 39)},
      {"`date`: cannot read 'tomorrow' as a date: it does not start with YYYY-MM-DD or YYYYMMDD", test.at(4, 7)},
      {"interpolation key 'nowhere' is not there in '${nowhere}'", test.at(5, 14)},
      {"post-processor 'extract_from_state' is not supported by this build", test.at(6, 19)},
      {"unknown key `post_processors.1.accumulate_from_start_of_forecast.accumulation`", test.at(6, 76)},
      {"`env.A` must be an integer, not the number 1.5", test.at(7, 10)},
      {"`env.B` must be text, not a list", test.at(7, 18)},
      {"`checkpoint` is missing", test.path("config.yaml")},
      {"input 'test' looks up the dataset of the training by its name in anemoi's settings, which Tradewind does not "
       "read",
       test.path("config.yaml")},
      {"unknown key `sed`", test.at(1, 1, "defaults.yaml")},
      {"`verbosity` must be an integer, not the text 'loud'", "override 'verbosity=loud'"},
      {"`env.C` must be text, not a list", "override 'env.C=[]'"},
  };
  REQUIRE(all.size() == std::size(expected));
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].what == expected[i].first);
    CHECK(all[i].where == expected[i].second);
    CHECK(!all[i].remedy.empty());
  }
}

TEST_CASE("mistakes without end are counted, not listed, and quickly") {
  const ConfigCase test;
  std::string yaml = "checkpoint: x\n";
  for (int i = 0; i < 9000; ++i) yaml += "key" + std::to_string(i) + ": 1\n";
  const Refusals all = test.findings(yaml).refusals();
  REQUIRE(all.size() == 101);
  CHECK(all.back().what == "there are 8901 more mistakes");
}

TEST_CASE("what this build has not is refused by name") {
  check_refused({
      {"use_profiler: true", "`use_profiler` is not supported by this build", 3, 1, "--report"},
      {"mid_processors: [x]", "`mid_processors` are not supported by this build", 3, 1, "leave"},
      {"mid_processors: null", "`mid_processors` must be a list, not null", 3, 17, "["},
      {"pre_processors: [mask]", "pre-processor 'mask' is not supported by this build", 3, 18, "apply_mask"},
      {"pre_processors: [{forward_transform_filter: x}]", "unknown filter 'x'", 3, 45, "this build has"},
      {"pre_processors: [foo]", "unknown pre-processor 'foo'", 3, 18, "forward_transform_filter"},
      {"pre_processors: foo", "`pre_processors` must be a list, not the text 'foo'", 3, 17, "["},
      {"trace_path: trace.txt", "`trace_path` is not supported by this build", 3, 1, "leave"},
      {"check_variables_compatibility: {ignore_units: true}",
       "`check_variables_compatibility` is not supported by this build", 3, 1, "leave"},
  });
}

}  // namespace tradewind::config
