#include "worker/forecast/step_times.h"

#include <doctest/doctest.h>

using tradewind::forecast::StepTimes;

TEST_CASE("of the steps' times the first stands alone, and output does not count") {
  StepTimes times;
  CHECK(times.empty());
  CHECK(times.first() == 0);
  CHECK(times.median() == 0);
  CHECK(times.sum() == 0);
  times.add(10, 2);
  CHECK(times.first() == 8);
  CHECK(times.median() == 8);
  for (const double seconds : {3.0, 1.0, 2.0}) times.add(seconds + 0.5, 0.5);
  CHECK(times.count() == 4);
  CHECK(times.first() == 8);
  CHECK(times.median() == 2);
  CHECK(times.sum() == 14);
}
