// A dataset of a forecast without a model: what it begins with, what goes out, how its input moves on.
#include "worker/forecast/dataset_run.h"

#include <doctest/doctest.h>

#include "tests/unit/dist/ranks.h"
#include "tests/unit/forecast/fakes.h"
#include "tests/unit/forecast/recording_reporter.h"

using namespace tradewind;
using namespace tradewind::forecast;
using namespace tradewind::testing;

namespace {

constexpr std::int64_t points = 7;

config::FilterConfig sums_of(const std::string& variable) {
  config::AccumulateFromStart config;
  config.accumulations = std::vector<std::string>{variable};
  config.allow_negative = true;
  return config;
}

// (output steps, rows, 4): 1000 step + 100 variable + row of the grid
at::Tensor some_output(std::int64_t steps, const dist::RowRange& rows) {
  const at::Tensor row = at::arange(rows.begin, rows.end, at::kFloat).view({1, -1, 1});
  return at::arange(steps, at::kFloat).view({-1, 1, 1}) * 1000 + at::arange(4, at::kFloat).view({1, 1, 4}) * 100 + row;
}

}  // namespace

TEST_CASE("the state of step 0 holds the latest date of the chosen categories, on every rank's rows") {
  for (const int ranks : {1, 2, 3}) {
    run_ranks(ranks, [&](dist::Communicator& communicator) {
      RecordingReporter reporter;
      Record record;
      DatasetRun run(fake_parts(points, record, communicator, reporter), at::kCPU);
      const Plan plan(fake_date, hours(12), hours(6), {fake_steps(1)});
      CHECK(run.begin(plan, 0) == std::vector<std::string>{"a warning"});
      REQUIRE(record.states.size() == 1);
      const outputs::State& state = record.states[0];
      CHECK(state.base == fake_date);
      CHECK(state.step == hours(0));
      CHECK(state.variables == std::vector<std::string>{"a", "f"});
      REQUIRE(state.values.sizes() == at::IntArrayRef({2, run.rows().size()}));
      for (std::int64_t row = 0; row < run.rows().size(); ++row) {
        CHECK(state.values[0][row].item<float>() == fake_value("a", fake_date, run.rows().begin + row));
        CHECK(state.values[1][row].item<float>() == fake_value("f", fake_date, run.rows().begin + row));
      }
      // The output saw what would come: step 0, the first and the last one.
      REQUIRE(record.due.states.size() == 3);
      CHECK(record.due.count == 3);
      CHECK(record.due.states[1].step == hours(6));
      CHECK(record.due.states[2].step == hours(12));
      CHECK(record.due.states[2].previous_step == hours(6));
      CHECK(record.due.states[2].variables == fake_output_variables);
    });
  }
}

TEST_CASE("its input moves on with prognostic variables of the output and forcings of the new time") {
  for (const int ranks : {1, 3}) {
    run_ranks(ranks, [&](dist::Communicator& communicator) {
      RecordingReporter reporter;
      Record record;
      DatasetRun run(fake_parts(points, record, communicator, reporter), at::kCPU);
      const Plan plan(fake_date, hours(18), hours(6), {fake_steps(1)});
      (void)run.begin(plan, 0);
      const at::Tensor before = run.x().clone();
      const at::Tensor y = some_output(1, run.rows());
      const Call call = plan.call(1);  // to be written at 12 h
      run.add_states(plan, call.datasets[0], y);
      run.advance(plan, plan.datasets()[0], call.datasets[0], y);
      CHECK(at::equal(run.x().select(0, 0), before.select(0, 1)));
      const Time valid = fake_date + hours(12);
      FakeInput grid(points);
      const at::Tensor local_time =
          make_computed({{"cos_local_time"}, {2}}, *grid.grid_points(points), run.rows())(valid);
      CHECK_FALSE(at::equal(local_time.select(0, 0), before.select(0, 1).select(1, 2)));
      for (std::int64_t row = 0; row < run.rows().size(); ++row) {
        const at::Tensor x = run.x()[1][row];
        CHECK(x[0].item<float>() == static_cast<float>(run.rows().begin + row));
        CHECK(x[1].item<float>() == fake_value("f", valid, run.rows().begin + row));
        CHECK(x[2].item<float>() == local_time[0][row].item<float>());
      }
      REQUIRE(record.states.size() == 2);
      CHECK(record.states[1].step == hours(12));
      CHECK(record.states[1].previous_step == hours(6));
      CHECK(at::equal(record.states[1].values, y[0].t()));
    });
  }
}

TEST_CASE("filters see states that are not written; what they have seen goes with a restart point") {
  const auto communicator = dist::make_single_communicator();
  RecordingReporter reporter;
  const Plan plan(fake_date, hours(24), hours(6), {fake_steps(1)});
  const auto parts = [&](Record& record) {
    return fake_parts(points, record, *communicator, reporter, {sums_of("noise")}, hours(12));
  };
  Record record;
  DatasetRun run(parts(record), at::kCPU);
  (void)run.begin(plan, 0);
  const at::Tensor y = some_output(1, run.rows());
  const auto step = [&](DatasetRun& one, int number) { one.add_states(plan, plan.call(number).datasets[0], y); };
  step(run, 0);
  step(run, 1);
  REQUIRE(record.states.size() == 2);  // steps 0 and 12
  CHECK(record.states[1].start_steps == std::map<std::string, Duration>{{"noise", hours(0)}});
  CHECK(at::equal(record.states[1].values[3], 2 * y[0].t()[3]));
  const DatasetPoint point = run.settle();
  CHECK(at::equal(point.x, run.x()));
  CHECK((point.output == nlohmann::json{{"states", 2}}));

  DatasetRun second(parts(record), at::kCPU);
  second.resume(point);
  step(second, 2);
  step(second, 3);
  second.close();
  REQUIRE(record.states.size() == 3);
  CHECK(at::equal(record.states[2].values[3], 4 * y[0].t()[3]));
  CHECK(record.events ==
        std::vector<std::string>{"prepare 3", "write 0", "write 12", "settle", "resume 2", "write 24", "close"});
}
