// The golden forecast through our own input and output: what the reference read and wrote must come out again.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/io/fixture.h"
#include "worker/inputs/input.h"
#include "worker/inputs/template_source.h"
#include "worker/outputs/output.h"
#include "worker/outputs/template_user.h"

using namespace tradewind;
using namespace tradewind::test;
using std::chrono::hours;

namespace {

const Time start = parse_date("2024-01-15T00:00:00");

// tests/golden/gt-transformer/config.yaml
config::GribOutputConfig golden_output(const std::string& path) {
  config::GribOutputConfig output;
  output.path = path;
  output.templates = {config::InputTemplates{{{"tp", "2t"}, {"tcc", "2t"}, {"lsm", "2t"}, {"z", "2t"}}},
                      config::BuiltinTemplates{}};
  return output;
}

}  // namespace

TEST_CASE("input grib gives each field its place, in any order of the file") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const auto communicator = dist::make_single_communicator();
  const auto input =
      inputs::make_input(config::GribInputConfig{golden("gt-transformer/input.grib"), {}}, metadata, *communicator);
  CHECK(input->latest_date() == start);
  const auto points = input->grid_points(5248);
  REQUIRE(points);
  CHECK(points->latitudes.size() == 5248);
  CHECK(points->latitudes.front() == doctest::Approx(87.8638).epsilon(1e-6));

  const std::vector<std::string> variables = {"z_500", "2t", "q_700", "lsm"};
  const at::Tensor whole = input->read(variables, {start - hours(6), start}, {0, 5248});
  REQUIRE(whole.sizes() == at::IntArrayRef({2, 5248, 4}));
  // against each message of the file, found by its keys
  std::size_t found = 0;
  for (const auto& message : read_messages(golden("gt-transformer/input.grib"))) {
    std::string name = message.text("shortName").value_or("");
    if (message.text("levtype") == "pl") name.append("_").append(message.text("level").value_or(""));
    const auto variable = std::find(variables.begin(), variables.end(), name);
    if (variable == variables.end()) continue;
    const std::int64_t date = message.integer("dataDate") == 20240115 ? 1 : 0;
    const std::vector<float> values = message.values();
    CHECK(at::equal(whole[date].select(1, variable - variables.begin()), at::tensor(values)));
    ++found;
  }
  CHECK(found == 8);
  CHECK(at::equal(input->read(variables, {start}, {100, 350}), whole.slice(0, 1).slice(1, 100, 350)));
  CHECK(inputs::templates_of(*input, {"2t", "tp"})->messages.size() == 1);
}

TEST_CASE("the reference's fields, written again, are the reference's messages") {
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const auto communicator = dist::make_single_communicator();
  const auto input =
      inputs::make_input(config::GribInputConfig{golden("gt-transformer/input.grib"), {}}, metadata, *communicator);
  input->read(metadata.prognostic, {start - hours(6), start}, {0, 5248});
  const TemporaryFolder folder;
  const outputs::OutputContext context{.metadata = metadata};
  const auto grid = std::make_shared<const fields::Grid>(
      fields::Grid{fields::Rows({5248}), std::make_shared<inputs::GridPoints>(*input->grid_points(5248))});
  const auto output = outputs::make_output(golden_output(folder / "new/output.grib"), context, *communicator);
  outputs::give_templates(*output, inputs::templates_of(*input, metadata.prognostic));

  const auto reference = read_messages(golden("gt-transformer/reference.grib"));
  REQUIRE(reference.size() == 90);
  std::size_t at = 0;
  for (int step = 0; step <= 48; step += 6) {
    outputs::State state;
    state.grid = grid;
    state.base = start;
    state.step = hours(step);
    state.previous_step = hours(std::max(0, step - 6));
    state.variables = metadata.output;
    if (step == 0) {
      state.variables = metadata.prognostic;
      state.variables.insert(state.variables.end(), {"lsm", "z"});
    }
    std::vector<at::Tensor> fields;
    for (std::size_t i = 0; i < state.variables.size(); ++i) fields.push_back(at::tensor(reference.at(at++).values()));
    state.values = at::stack(fields);
    REQUIRE(output->wants(state.step));
    output->write(state);
  }
  CHECK(std::filesystem::exists(folder / "new/output.grib.partial"));
  CHECK_FALSE(std::filesystem::exists(folder / "new/output.grib"));
  output->close();
  CHECK_FALSE(std::filesystem::exists(folder / "new/output.grib.partial"));

  const auto written = read_messages(folder / "new/output.grib");
  REQUIRE(written.size() == reference.size());
  std::size_t same_bytes = 0;
  for (std::size_t i = 0; i < written.size(); ++i) {
    CAPTURE(i);
    CHECK(identity(written[i]) == identity(reference[i]));
    const auto got = written[i].values_double(), want = reference[i].values_double();
    const double quantum = std::pow(2.0, *reference[i].integer("binaryScaleFactor")) *
                           std::pow(10.0, -*reference[i].integer("decimalScaleFactor"));
    double worst = 0;
    for (std::size_t point = 0; point < want.size(); ++point)
      worst = std::max(worst, std::abs(got[point] - want[point]));
    CHECK(worst <= 1.01 * quantum);
    same_bytes += written[i].bytes() == reference[i].bytes();
  }
  MESSAGE(same_bytes << " of " << written.size() << " messages are the same bytes");
  CHECK(same_bytes >= 10);  // the initial state is decoded and encoded with the same packing
}
