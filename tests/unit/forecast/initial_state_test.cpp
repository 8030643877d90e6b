#include "worker/forecast/initial_state.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "common/errors.h"
#include "tests/unit/forecast/recording_reporter.h"

using namespace tradewind;
using namespace tradewind::forecast;

namespace {

constexpr std::int64_t kRows = 5;

// value = 1000 * hours since `base` + 10 * row + index of the variable's first letter
class FakeInput : public inputs::Input {
 public:
  explicit FakeInput(std::int64_t points) {
    for (std::int64_t i = 0; i < points; ++i) {
      points_.latitudes.push_back(80.0 - 10.0 * static_cast<double>(i));
      points_.longitudes.push_back(20.0 * static_cast<double>(i));
    }
  }
  std::optional<Time> latest_date() override { return std::nullopt; }
  std::optional<inputs::GridPoints> grid_points(std::int64_t) override { return points_; }
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override {
    ++reads;
    // Not contiguous, as an input that decodes field by field gives it.
    at::Tensor values =
        at::empty({static_cast<std::int64_t>(dates.size()), static_cast<std::int64_t>(variables.size()), rows.size()},
                  at::kFloat)
            .transpose(1, 2);
    auto access = values.accessor<float, 3>();
    for (std::size_t d = 0; d < dates.size(); ++d) {
      const std::int64_t second = dates[d].time_since_epoch().count() % 86400, whole_hour = second / 3600;
      const auto hour = static_cast<float>(whole_hour);
      for (std::int64_t r = 0; r < rows.size(); ++r) {
        for (std::size_t v = 0; v < variables.size(); ++v) {
          access[d][r][v] = special.contains(variables[v])
                                ? special[variables[v]]
                                : 1000 * hour + 10 * static_cast<float>(rows.begin + r) + variables[v][0];
        }
      }
    }
    return values;
  }

  std::map<std::string, float> special;
  int reads = 0;

 private:
  inputs::GridPoints points_;
};

checkpoint::Checkpoint example() {
  checkpoint::Checkpoint checkpoint;
  checkpoint::Metadata& metadata = checkpoint.metadata.emplace_back();
  metadata.variable_order = metadata.input = {"a", "cos_latitude", "insolation", "m"};
  metadata.prognostic = {"a"};
  metadata.forcing = {"cos_latitude", "insolation", "m"};
  for (const std::string& name : metadata.input) metadata.variables[name].name = name;
  metadata.variables["cos_latitude"].computed_forcing = metadata.variables["insolation"].computed_forcing = true;
  metadata.variables["cos_latitude"].constant_in_time = metadata.variables["m"].constant_in_time = true;
  metadata.time.input_offsets = {std::chrono::hours(-6), std::chrono::hours(0)};
  return checkpoint;
}

const Time kDate = std::chrono::sys_days(std::chrono::year(2024) / 1 / 15) + std::chrono::hours(12);

InitialState read(FakeInput& input, const checkpoint::Checkpoint& checkpoint, std::optional<bool> allow_nans,
                  report::Reporter& reporter) {
  const auto communicator = dist::make_single_communicator();
  const auto shared = std::shared_ptr<inputs::Input>(&input, [](inputs::Input*) {});
  const Sources sources{shared, shared, shared};
  const Roles roles = assign_roles(checkpoint.metadata.front());
  return read_initial_state({.sources = sources,
                             .checkpoint = checkpoint,
                             .metadata = checkpoint.metadata.front(),
                             .roles = roles,
                             .date = kDate,
                             .shards = dist::Shards(kRows, 1),
                             .allow_nans = allow_nans},
                            *communicator, reporter);
}

}  // namespace

TEST_CASE("the first input holds read and computed variables for every date") {
  RecordingReporter reporter;
  FakeInput input(kRows);
  const InitialState state = read(input, example(), std::nullopt, reporter);
  CHECK(state.x.sizes() == at::IntArrayRef({2, kRows, 4}));
  const auto x = state.x.accessor<float, 3>();
  for (std::int64_t row = 0; row < kRows; ++row) {
    CHECK(x[0][row][0] == 6000 + 10 * row + 'a');
    CHECK(x[1][row][0] == 12000 + 10 * row + 'a');
    CHECK(x[1][row][3] == 12000 + 10 * row + 'm');
    const double latitude = (80.0 - 10.0 * static_cast<double>(row)) * M_PI / 180;
    CHECK(x[0][row][1] == doctest::Approx(std::cos(latitude)).epsilon(1e-6));
    CHECK(x[1][row][1] == x[0][row][1]);
  }
  // row 0 lies at 80 N in January: no sun at any hour
  CHECK(x[1][0][2] == 0);
  CHECK_FALSE(state.has_nans);
}

TEST_CASE("missing values warn, are allowed or refused") {
  RecordingReporter reporter;
  FakeInput input(kRows);
  input.special["a"] = std::numeric_limits<float>::quiet_NaN();
  CHECK(read(input, example(), std::nullopt, reporter).has_nans);
  REQUIRE(reporter.warnings.size() == 1);
  CHECK(reporter.warnings[0].find("in a") != std::string::npos);
  CHECK(read(input, example(), true, reporter).has_nans);
  CHECK(reporter.warnings.size() == 1);
  CHECK_THROWS_WITH_AS(read(input, example(), false, reporter), doctest::Contains("NaN"), UserError);
}

TEST_CASE("infinities are always refused by the variable's name") {
  RecordingReporter reporter;
  FakeInput input(kRows);
  input.special["m"] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(read(input, example(), true, reporter), doctest::Contains("infinite values in m"), UserError);
}

TEST_CASE("a grid of another size is refused with both numbers, before anything is read") {
  RecordingReporter reporter;
  FakeInput input(kRows + 2);
  CHECK_THROWS_WITH_AS(read(input, example(), true, reporter), doctest::Contains("7 grid points, the model has 5"),
                       UserError);
  CHECK(input.reads == 0);
}
