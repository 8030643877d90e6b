#include "worker/forecast/plan.h"

#include <doctest/doctest.h>

#include <chrono>
#include <ostream>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::forecast;
using std::chrono::hours;

// For doctest's messages.
namespace tradewind::forecast {
std::ostream& operator<<(std::ostream& out, const DueState& due) {
  return out << due.row << ": " << duration_text(due.step) << " after " << duration_text(due.previous);
}
std::ostream& operator<<(std::ostream& out, const FilledRow& filled) {
  return out << filled.row << ": " << duration_text(filled.lead);
}
}  // namespace tradewind::forecast

namespace {

const Time date = parse_date("2024-01-15T12:00:00");
const DatasetSteps one_step = {{hours(-6), hours(0)}, {hours(6)}, {{{1, 0}}, {{0, 1}}}};
const DatasetSteps three_steps = {{hours(-6), hours(0)}, {hours(6), hours(12), hours(18)}, {{}, {{1, 0}, {2, 1}}}};

}  // namespace

TEST_CASE("model calls are rounded up to reach the lead time") {
  CHECK(model_calls(hours(48), hours(6)) == 8);
  CHECK(model_calls(hours(49), hours(6)) == 9);
  CHECK(model_calls(hours(48), hours(18)) == 3);
  CHECK(model_calls(hours(0), hours(6)) == 0);
  CHECK_THROWS_WITH_AS(model_calls(hours(6), hours(0)), doctest::Contains("time step of the model is"), UserError);
  CHECK_THROWS_WITH_AS(model_calls(hours(-6), hours(6)), doctest::Contains("lead_time is negative"), UserError);
  CHECK_THROWS_WITH_AS(model_calls(Duration::max(), hours(1)), doctest::Contains("calls of the model"), UserError);
}

TEST_CASE("a call of one step: its inputs, its state, and what the next input needs") {
  const Plan plan(date, hours(18), hours(6), {one_step});
  CHECK(plan.calls() == 3);
  const Call call = plan.call(1);
  CHECK(call.number == 1);
  CHECK_FALSE(call.last);
  CHECK(plan.valid(call.start) == parse_date("2024-01-15T18:00:00"));
  CHECK(plan.valid(call.end) == parse_date("2024-01-16T00:00:00"));
  REQUIRE(call.datasets.size() == 1);
  CHECK(call.datasets[0].inputs == std::vector<Duration>{hours(0), hours(6)});
  CHECK(call.datasets[0].states == std::vector<DueState>{{0, hours(12), hours(6)}});
  CHECK(call.datasets[0].filled == std::vector<FilledRow>{{1, hours(12)}});
  CHECK(plan.call(0).datasets[0].states == std::vector<DueState>{{0, hours(6), hours(0)}});
  CHECK_FALSE(plan.call(0).last);
  CHECK(plan.call(2).last);
}

TEST_CASE("of several steps a call, those beyond the lead time are not due; each knows the one before") {
  const Plan plan(date, hours(30), hours(18), {three_steps});
  REQUIRE(plan.calls() == 2);
  CHECK(plan.call(0).datasets[0].states ==
        std::vector<DueState>{{0, hours(6), hours(0)}, {1, hours(12), hours(6)}, {2, hours(18), hours(12)}});
  CHECK(plan.call(0).datasets[0].filled == std::vector<FilledRow>{{0, hours(12)}, {1, hours(18)}});
  const Call last = plan.call(1);
  CHECK(last.last);
  CHECK(last.datasets[0].inputs == std::vector<Duration>{hours(12), hours(18)});
  CHECK(last.datasets[0].states == std::vector<DueState>{{0, hours(24), hours(18)}, {1, hours(30), hours(24)}});
}

TEST_CASE("datasets of one plan have their own steps") {
  const Plan plan(date, hours(12), hours(12),
                  {one_step, {{hours(0)}, {hours(6), hours(12)}, {{}, {{1, 0}}}}, {{hours(0)}, {}, {}}});
  REQUIRE(plan.calls() == 1);
  const Call call = plan.call(0);
  REQUIRE(call.datasets.size() == 3);
  CHECK(call.datasets[0].states.size() == 1);
  CHECK(call.datasets[1].inputs == std::vector<Duration>{hours(0)});
  CHECK(call.datasets[1].states == std::vector<DueState>{{0, hours(6), hours(0)}, {1, hours(12), hours(6)}});
  CHECK(call.datasets[2].states.empty());  // only read
}

TEST_CASE("windows between inputs: whole ones only, and each starts anew") {
  const DatasetSteps between = {{hours(0), hours(6)}, {hours(2), hours(4)}, {}};
  const Plan plan = Plan::of_windows(date, hours(17), hours(6), {between});
  REQUIRE(plan.calls() == 2);
  const Call first = plan.call(0), last = plan.call(1);
  CHECK(first.datasets[0].inputs == std::vector<Duration>{hours(0), hours(6)});
  CHECK(first.datasets[0].states == std::vector<DueState>{{0, hours(2), hours(0)}, {1, hours(4), hours(2)}});
  CHECK(first.datasets[0].next_start == hours(6));
  CHECK(first.datasets[0].filled.empty());
  CHECK(last.datasets[0].inputs == std::vector<Duration>{hours(6), hours(12)});
  CHECK(last.datasets[0].states == std::vector<DueState>{{0, hours(8), hours(6)}, {1, hours(10), hours(8)}});
  CHECK(last.last);
  CHECK_THROWS_WITH_AS(Plan::of_windows(date, hours(5), hours(6), {between}), doctest::Contains("shorter than the 6h"),
                       UserError);
  CHECK_THROWS_AS(Plan::of_windows(date, hours(-6), hours(6), {between}), UserError);
}

TEST_CASE("no lead time, no call") { CHECK(Plan(date, hours(0), hours(6), {one_step}).calls() == 0); }

TEST_CASE("steps are those of the checkpoint, rows counted from the start") {
  checkpoint::TimeStepping time;
  time.input_offsets = {hours(-6), hours(0)};
  time.output_offsets = {hours(6)};
  time.input_to_input = {{-1, 0}};
  time.output_to_input = {{-1, -1}};
  CHECK(steps_of(time, 2, 1) == one_step);
  CHECK_THROWS_AS(steps_of(time, 1, 0), UserError);
}
