// Grids that are uneven over the ranks, and what is due of a forecast.
#include <doctest/doctest.h>

#include "common/errors.h"
#include "worker/fields/state.h"

using namespace tradewind;
using namespace tradewind::fields;
using std::chrono::hours;

TEST_CASE("rows of each rank, none of some") {
  const Rows rows({3, 0, 5});
  CHECK(rows.total() == 8);
  CHECK(rows.ranks() == 3);
  CHECK((rows.range(1) == dist::RowRange{3, 3}));
  CHECK((rows.range(2) == dist::RowRange{3, 8}));
  CHECK(Rows(dist::Shards(8, 3)).counts() == std::vector<std::int64_t>{3, 3, 2});
  CHECK_THROWS_AS(Rows(std::vector<std::int64_t>{1, -1}), InternalFault);
  CHECK_THROWS_AS(Rows(std::vector<std::int64_t>{}), InternalFault);
}

TEST_CASE("of what is due the first, the last and the initial state are told, and how many there are") {
  Outlook outlook;
  outlook.initial.variables = {"lsm"};
  outlook.forecast.variables = {"tp"};
  for (const int step : {6, 12, 18, 24}) outlook.moments.push_back({hours(step), hours(step - 6)});
  const Due all = outlook.due([](Duration) { return true; });
  CHECK(all.count == 5);
  REQUIRE(all.states.size() == 3);
  CHECK(all.states[0].variables == std::vector<std::string>{"lsm"});
  CHECK(all.states[1].step == hours(6));
  CHECK(all.states[1].variables == std::vector<std::string>{"tp"});
  CHECK(all.states[2].step == hours(24));
  CHECK(all.states[2].previous_step == hours(18));
  const Due one = outlook.due([](Duration step) { return step == hours(12); });
  CHECK(one.count == 1);
  REQUIRE(one.states.size() == 1);
  CHECK(one.states[0].previous_step == hours(6));
  CHECK(outlook.due([](Duration) { return false; }).states.empty());
}
