// A configuration held against what a checkpoint says: everything that would mean nothing there is said.
#include "common/fit/fit.h"

#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

using std::chrono::hours;

checkpoint::Metadata metadata() {
  checkpoint::Metadata data;
  data.dataset = "data";
  data.input = {"2t", "tp_in", "z", "q_50", "insolation"};
  data.output = {"2t", "q_50", "tp"};
  data.prognostic = {"2t", "q_50"};
  data.forcing = {"tp_in", "z", "insolation"};
  for (const char* name : {"2t", "tp_in", "z", "q_50", "insolation", "tp"}) data.variables[name].name = name;
  data.variables["q_50"].mars = {{"param", "q"}, {"levelist", 50}, {"levtype", "pl"}};
  data.variables["z"].constant_in_time = true;
  data.variables["insolation"].computed_forcing = true;
  data.variables["tp"].process = checkpoint::Process::accumulation;
  data.time = {.timestep = hours(6), .input_offsets = {}, .output_offsets = {hours(6)}, .rollout_shift = hours(6)};
  data.raw = {{"dataset", {{"variables", {"2t"}}, {"frequency", "6h"}}}};
  return data;
}

Findings fitted(const ConfigCase& test, const std::string& yaml, const checkpoint::Metadata& data) {
  const ConfigDocument document = test.document(ConfigCase::complete(yaml));
  Findings findings;
  const RunConfig config = parse_run_config(document, findings);
  CHECK_FALSE(findings.any_refusal());
  check_fit(config, document, {data}, findings);
  return findings;
}

struct Line {
  const char* yaml;
  const char* text;  // how it begins, after the file's name
};

}  // namespace

TEST_CASE("a runner that is named must be the one for the checkpoint's task") {
  const ConfigCase test;
  checkpoint::Metadata downscaler = metadata();
  downscaler.task = "time-interpolator";
  downscaler.time = {.timestep = hours(6),
                     .input_offsets = {hours(0), hours(6)},
                     .output_offsets = {hours(2), hours(4)},
                     .rollout_shift = hours(6),
                     .between_inputs = true};
  const std::string date = "date: 2024-01-15\nlead_time: 12h\n";
  const auto refused = [&](const std::string& yaml, const checkpoint::Metadata& data) {
    std::string all;
    for (const Refusal& each : fitted(test, date + yaml, data).refusals()) all += each.what + "\n";
    return all;
  };
  for (const char* fine : {"runner: auto", "runner: temporal_downscaler", "runner: temporal-downscaler",
                           "runner: parallel", "runner: {parallel: {base_runner: temporal_downscaler}}"}) {
    CAPTURE(fine);
    CHECK(refused(fine, downscaler) == "");
  }
  CHECK(refused("runner: forecaster", downscaler) == "the runner forecaster cannot run a temporal downscaler\n");
  CHECK(refused("runner: no-model", downscaler) == "the runner no-model cannot run a temporal downscaler\n");
  CHECK(refused("runner: temporal_downscaler", metadata()).find("needs a checkpoint of a temporal downscaler") !=
        std::string::npos);
  CHECK(refused("runner: parallel", metadata()) == "");
  CHECK(refused("initial_state_categories: [prognostics]", downscaler).find("has no effect") != std::string::npos);
  const Findings late = fitted(test, "date: 2024-01-15\nlead_time: 5h\nwrite_initial_state: false", downscaler);
  REQUIRE(late.refusals().size() == 1);
  CHECK(late.refusals()[0].what == "`lead_time` is 5h, shorter than the 6h between the model's inputs");
  const Findings dateless = fitted(test, "lead_time: 12h", downscaler);
  REQUIRE(dateless.refusals().size() == 1);
  CHECK(dateless.refusals()[0].what.find("needs the date of the forecast") != std::string::npos);
}

TEST_CASE("times of a temporal downscaler are those of its windows") {
  const ConfigCase test;
  checkpoint::Metadata downscaler = metadata();
  downscaler.task = "time-interpolator";
  downscaler.time = {.timestep = hours(6),
                     .input_offsets = {hours(0), hours(6)},
                     .output_offsets = {hours(2), hours(4)},
                     .rollout_shift = hours(6),
                     .between_inputs = true};
  const auto told = [&](const std::string& yaml) {
    const Findings findings = fitted(test, "date: 2024-01-15\n" + yaml, downscaler);
    std::string all;
    for (const std::string& each : findings.warnings()) all += each.substr(each.find(": `") + 2) + "\n";
    for (const Refusal& each : findings.refusals()) all += each.what + "\n";
    return all;
  };
  CHECK(told("lead_time: 12h") == "");
  CHECK(told("lead_time: 12h\noutput_frequency: 4h") == "");
  CHECK(told("lead_time: 13h") ==
        "`lead_time` is 13h, no multiple of the 6h between the model's inputs: nothing after 12h is written\n");
  CHECK(told("lead_time: 0") == "`lead_time` is 0h, shorter than the 6h between the model's inputs\n");
  CHECK(told("lead_time: 12h\noutput_frequency: 6h").find("of which no step of the forecast is a multiple") !=
        std::string::npos);
  CHECK(told("lead_time: 12h\noutput_frequency: 3h").find("no step would be written") != std::string::npos);
  CHECK(told("lead_time: 24h\noutput_frequency: 5h").find("`output_frequency` is 5h, no multiple of the step of 2h") ==
        0);
}

TEST_CASE("what means nothing in the checkpoint, and would change the forecast or leave some of it out, is refused") {
  const ConfigCase test;
  const Line table[] = {
      {"output: {printer: {variables: [2t, q50]}}", "3:36: `output.printer.variables.1`: 'q50' is no variable"},
      {"output: {printer: {variables: {drop: 2d}}}", "3:38: `output.printer.variables.drop`: '2d' is no variable"},
      {"output: {printer: {variables: ['x*']}}", "3:31: `output.printer.variables` leaves no variable"},
      {"output: {printer: {variables: {drop: '*'}}}", "3:31: `output.printer.variables` leaves no variable"},
      {"output: {printer: {variables: {levtype: sfc}}}", "3:32: unknown key"},
      {"output: {printer: {variables: [{levtype: ml}]}}", "3:31: `output.printer.variables` leaves no variable"},
      {"output: {parallel: {grib: {path: o, variables: q_5}}}",
       "3:48: `output.parallel.grib.variables`: 'q_5' is no variable"},
      {"post_processors: [{forward_transform_filter: {drop: {levelist: 50}}}]\noutput: {printer: {variables: [q_50]}}",
       "4:31: `output.printer.variables` leaves no variable"},
      {"post_processors: [{forward_transform_filter: {rename: {param: {2t: t2m}}}}]\noutput: {printer: {variables: "
       "[2t]}}",
       "4:31: `output.printer.variables` leaves no variable"},
      {"output: {printer: {variables: {drop: [2d, tq]}}}", "3:39: `output.printer.variables.drop.0`: '2d' is no"},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: [tq, cp]}}]",
       "3:72: `post_processors.0.accumulate_from_start_of_forecast.accumulations.0`: 'tq' is no variable that"},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: [tp_in]}}]",
       "3:72: `post_processors.0.accumulate_from_start_of_forecast.accumulations.0`: 'tp_in' is no variable that"},
      {"post_processors: [{extract_mask: lam/cutout_mask}]",
       "3:34: `post_processors.0.extract_mask.mask`: 'lam/cutout_mask' is neither a file nor an array"},
      {"output: {tee: [printer, {printer: {variables: q_5}}]}",
       "3:47: `output.tee.1.printer.variables`: 'q_5' is no variable"},
      {"output_frequency: 4h\nlead_time: 6h", "3:19: `output_frequency` is 4h, of which no step"},
      {"output: {printer: {output_frequency: 7h}}\nlead_time: 1d", "3:38: `output.printer.output_frequency` is 7h"},
      {"output_frequency: 12h\nlead_time: 6h\nwrite_initial_state: false",
       "3:19: `output_frequency` is 12h, longer than the forecast of 6h: no step"},
      {"lead_time: 3h\nwrite_initial_state: false", "3:12: `lead_time` is 3h, shorter than the first step of 6h"},
      {"input: {era5: {grib: x}}", "3:9: `input`: the dataset 'era5' is not in the checkpoint"},
  };
  for (const Line& line : table) {
    const std::string shown(line.yaml);
    CAPTURE(shown);
    const bool parses = std::string(line.text).find("unknown key") == std::string::npos;
    const Refusals all = parses ? fitted(test, line.yaml, metadata()).refusals()
                                : test.findings(ConfigCase::complete(line.yaml)).refusals();
    REQUIRE(!all.empty());
    CAPTURE(all[0].where + ": " + all[0].what);
    CHECK((all[0].where + ": " + all[0].what).starts_with(test.path("config.yaml") + ":" + line.text));
    CHECK(!all[0].remedy.empty());
  }
  CHECK(fitted(test, "output: {printer: {variables: q50}}", metadata())
            .refusals()[0]
            .remedy.starts_with("did you mean 'q_50'? "));
}

TEST_CASE("what means nothing in the checkpoint, and leaves the forecast as it is, is warned of") {
  const ConfigCase test;
  const Line table[] = {
      {"lead_time: 7h", "3:12: `lead_time` is 7h, no multiple of the step of 6h: the last forecast is of 6h"},
      {"lead_time: 0", "3:12: `lead_time` is 0h, shorter than the first step of 6h: only the initial state is written"},
      {"output_frequency: 4h", "3:19: `output_frequency` is 4h, no multiple of the step of 6h: only steps that are"},
      {"output_frequency: 1d\nlead_time: 12h", "3:19: `output_frequency` is 1d, longer than the forecast of 12h: only"},
      {"output_frequency: 6h\noutput: {printer: {output_frequency: 12h}}",
       "3:19: `output_frequency` counts for nothing"},
      {"output: {printer: {variables: [2t, 'x*']}}", "3:36: `output.printer.variables.1`: 'x*' matches no variable"},
      {"output: {printer: {variables: [2t, {param: z, levtype: pl}]}}",
       "3:36: `output.printer.variables.1`: {levtype: pl, param: z} matches no variable"},
      {"output: {printer: {variables: [2t, insolation]}}",
       "3:36: `output.printer.variables.1`: 'insolation' is only an input of this checkpoint: it is not written"},
      {"output: {printer: {variables: {drop: [2t, q50]}}}",
       "3:43: `output.printer.variables.drop.1`: 'q50' is no variable of this checkpoint: there is nothing to drop; "
       "did "
       "you mean 'q_50'?"},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: [tp, cp]}}]",
       "3:76: `post_processors.0.accumulate_from_start_of_forecast.accumulations.1`: 'cp' is no variable that this "
       "checkpoint forecasts; did you mean 'tp'?"},
      {"typed_variables: {2d: {mars: {}}}", "3:19: `typed_variables.2d` is for no variable of this checkpoint"},
      {"typed_variables: {2t: {proces: x}}", "3:24: `typed_variables.2t.proces` is not known here and has no effect"},
      {"output: {grib: {path: o, templates: [{input: {tq: 2t}}]}}",
       "3:47: `output.grib.templates.0.input.tq`: 'tq' is no variable"},
      {"output: {grib: {path: o, templates: [{file: {path: x, variables: [2q]}}]}}",
       "3:66: `output.grib.templates.0.file.variables`: '2q' is no variable"},
      {"output: {grib: {path: o, grib2_keys: {tpp: {a: 1}}}}", "3:39: `output.grib.grib2_keys.tpp` is for no param"},
      {"post_processors: [{forward_transform_filter: {rescale: {param: tq, scale: 2, offset: 0}}}]",
       "3:20: `post_processors.0.forward_transform_filter` changes nothing: no variable that is there is what it "
       "means"},
      {"post_processors: [backward_transform_filter: cos_sin_mean_wave_direction]",
       "3:19: `post_processors.0.backward_transform_filter` changes nothing"},
  };
  for (const Line& line : table) {
    const std::string shown(line.yaml);
    CAPTURE(shown);
    const Findings found = fitted(test, line.yaml, metadata());
    CHECK_FALSE(found.any_refusal());
    REQUIRE(!found.warnings().empty());
    CHECK(found.warnings()[0].starts_with(test.path("config.yaml") + ":" + line.text));
  }
}

TEST_CASE("an accumulation of a checkpoint without accumulations, and a key that a patch invents") {
  const ConfigCase test;
  checkpoint::Metadata data = metadata();
  data.variables["tp"].process = checkpoint::Process::instantaneous;
  CHECK(fitted(test, "post_processors: [accumulate_from_start_of_forecast]", data)
            .warnings()
            .at(0)
            .find("calls no variable an accumulation") != std::string::npos);
  data.new_keys = {"dataset.variabels"};
  const auto warnings = fitted(test, "patch_metadata:\n  dataset:\n    variabels: [x]", data).warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == test.at(5, 5) +
                           ": `patch_metadata.dataset.variabels` is not in the checkpoint's metadata and "
                           "was added; did you mean 'variables'?");
}

TEST_CASE("what fits is left in peace") {
  const ConfigCase test;
  for (const char* yaml :
       {"lead_time: 24h", "output_frequency: 12h\nlead_time: 24h", "output: {printer: {variables: [2t, 'q_*', z]}}",
        "output: {printer: {variables: {drop: [tp]}}}",
        "output: {printer: {variables: [{param: q, levelist: [50, 100]}]}}",
        "post_processors: [accumulate_from_start_of_forecast]", "input: {data: {grib: x}}", "output: none",
        "typed_variables: {2t: {mars: {param: 2t}}}", "output: {grib: {path: o, grib2_keys: {q: {a: 1}}}}",
        "post_processors: [{forward_transform_filter: {rename: {param: {2t: t2m}}}}]\ntyped_variables: {t2m: {mars: "
        "{}}}\noutput: {printer: {variables: [t2m, q_50]}}",
        "output: {printer: {variables: [x_50], post_processors: [{forward_transform_filter: {rename: {param: {q: "
        "x}}}}]}}",
        "post_processors: [forward_transform_filter: noop]"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const Findings found = fitted(test, yaml, metadata());
    CHECK_FALSE(found.any_refusal());
    CHECK(found.warnings().empty());
  }
}

}  // namespace tradewind::config
