// Several datasets: parts for all of them, parts by their names, and how both are held against a checkpoint.
#include "common/fit/fit.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

using std::chrono::hours;
using Names = std::vector<std::string>;

std::string input_of(const RunConfig& config, const std::string& dataset) {
  return std::get<GribInputConfig>(for_dataset(config, dataset).input).path;
}
std::string output_of(const RunConfig& config, const std::string& dataset) {
  return std::get<GribOutputConfig>(for_dataset(config, dataset).output).path;
}

checkpoint::Metadata dataset(const std::string& name, const Names& variables) {
  checkpoint::Metadata data;
  data.dataset = name;
  data.multi_dataset_layout = true;
  data.input = data.output = data.prognostic = variables;
  for (const std::string& each : variables) data.variables[each].name = each;
  data.time = {.timestep = hours(6), .input_offsets = {}, .output_offsets = {hours(6)}, .rollout_shift = hours(6)};
  data.raw = {{"dataset", {{name, {{"frequency", "6h"}}}}}};
  return data;
}

// era5 has q beside t, other has not.
Findings fitted(const ConfigCase& test, const std::string& yaml) {
  const ConfigDocument document = test.document("checkpoint: a.ckpt\n\n" + yaml);
  Findings findings;
  const RunConfig config = parse_run_config(document, findings);
  CHECK_FALSE(findings.any_refusal());
  check_fit(config, document, {dataset("era5", {"t", "q"}), dataset("other", {"t"})}, findings);
  return findings;
}

std::string first_refusal(const ConfigCase& test, const std::string& yaml) {
  const Refusals all = fitted(test, yaml).refusals();
  if (all.empty()) return {};
  return all[0].where.substr(test.path("config.yaml").size() + 1) + ": " + all[0].what + "; " + all[0].remedy;
}

}  // namespace

TEST_CASE("a part is for all datasets, or for each by its name") {
  const ConfigCase test;
  const RunConfig own = test.run(
      "input: {era5: {grib: a}, other: {grib: b}}\nconstant_forcings: {grib: c}\n"
      "dynamic_forcings: {era5: dummy, other: {grib: d}}\noutput: {era5: {grib: x}, other: {grib: y}}");
  CHECK(input_of(own, "era5") == "a");
  CHECK(input_of(own, "other") == "b");
  CHECK(output_of(own, "era5") == "x");
  CHECK(output_of(own, "other") == "y");
  CHECK(std::get<GribInputConfig>(*for_dataset(own, "era5").constant_forcings).path == "c");
  CHECK(std::get<GribInputConfig>(*for_dataset(own, "other").constant_forcings).path == "c");
  CHECK(std::holds_alternative<DummyInputConfig>(*for_dataset(own, "era5").dynamic_forcings));
  CHECK(std::get<GribInputConfig>(*for_dataset(own, "other").dynamic_forcings).path == "d");
  CHECK(by_dataset(own).size() == 2);

  const RunConfig shared = test.run("input: {grib: 'in-{dataset}'}\noutput: {grib: 'out-{dataset_name}'}");
  CHECK(shared.datasets.empty());
  CHECK(input_of(shared, "era5") == "in-{dataset}");
  CHECK(output_of(shared, "other") == "out-{dataset_name}");
  CHECK(by_dataset(shared).size() == 1);
  CHECK(by_dataset(shared)[0].lead_time == shared.lead_time);

  // A name alone, and one whose options are what is wrong.
  CHECK(std::holds_alternative<DummyInputConfig>(for_dataset(test.run("input: {a: dummy, b: empty}"), "a").input));
  CHECK(std::holds_alternative<NoOutputConfig>(for_dataset(test.run("output: {a: none, b: printer}"), "a").output));
}

TEST_CASE("names are those of the checkpoint's datasets, all of them") {
  const ConfigCase test;
  CHECK(first_refusal(test, "input: {era5: {grib: a}, other: {grib: b}}\noutput: {grib: 'o-{dataset}'}").empty());
  CHECK(first_refusal(test, "input: {grib: a}\noutput: none").empty());
  CHECK(first_refusal(test, "input: {era5: {grib: a}, oter: {grib: b}}\noutput: none") ==
        "3:26: `input`: the dataset 'oter' is not in the checkpoint; did you mean 'other'? it has era5, other");
  CHECK(first_refusal(test, "input: {era5: {grib: a}}\noutput: none") ==
        "3:8: `input` has nothing for the dataset 'other'; the checkpoint has era5, other: name all of them, or none "
        "for what is meant for all");
  CHECK(first_refusal(test, "input: dummy\noutput: {era5: none, cerra: none}").starts_with("4:22: `output`: the"));
  CHECK(first_refusal(test, "input: dummy\nconstant_forcings: {era5: dummy}\noutput: none")
            .starts_with("4:20: `constant_forcings` has nothing for the dataset 'other'"));
}

TEST_CASE("what datasets share must mean something to one of them, what is one's own to that one") {
  const ConfigCase test;
  const std::string input = "input: {grib: a}\n";
  CHECK(first_refusal(test, input + "output: {grib: {path: 'o-{dataset}', variables: [q, t]}}").empty());
  CHECK(first_refusal(test, input + "output: {grib: {path: 'o-{dataset}', variables: [w, t]}}")
            .find("'w' is no variable of this checkpoint") != std::string::npos);
  const std::string own = "output: {era5: {grib: {path: o, variables: [q]}}, other: {grib: {path: p, variables: [";
  CHECK(first_refusal(test, input + own + "t]}}}").empty());
  CHECK(first_refusal(test, input + own + "q]}}}").find("'q' is no variable of this checkpoint") != std::string::npos);
  const std::string filter = "post_processors: [{accumulate_from_start_of_forecast: {accumulations: [";
  CHECK(first_refusal(test, input + filter + "q]}}]\noutput: {era5: none, other: none}").empty());
  CHECK(first_refusal(test, input + filter + "w]}}]\noutput: {era5: none, other: none}")
            .find("'w' is no variable that this checkpoint forecasts") != std::string::npos);
  // Said once, though it holds for both.
  const Findings found = fitted(test, input + "output: none\nlead_time: 7h");
  CHECK(found.warnings().size() == 1);
}

}  // namespace tradewind::config
