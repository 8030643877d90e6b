#include "worker/forecast/outlook.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "tests/unit/forecast/fakes.h"

using namespace tradewind;
using namespace tradewind::forecast;
using namespace tradewind::testing;

namespace {

fields::Outlook outlook(Duration lead_time, std::int64_t output_steps, const std::vector<std::string>& variables) {
  fields::State initial;
  initial.base = fake_date;
  initial.variables = {"a"};
  initial.values = at::zeros({1, 3});
  initial.grid = std::make_shared<const fields::Grid>(fields::Grid{fields::Rows({3}), nullptr});
  return outlook_of(std::move(initial), Plan(fake_date, lead_time, hours(6) * output_steps, {fake_steps(output_steps)}),
                    0, variables);
}

}  // namespace

TEST_CASE("what comes is step 0 and every state within the lead time, each with the one before") {
  for (const std::int64_t output_steps : {1, 2}) {
    const fields::Outlook all = outlook(hours(30), output_steps, {"tp"});
    CHECK(all.initial.variables == std::vector<std::string>{"a"});
    CHECK_FALSE(all.initial.values.defined());
    CHECK(all.forecast.variables == std::vector<std::string>{"tp"});
    CHECK(all.forecast.base == fake_date);
    CHECK(all.forecast.grid == all.initial.grid);
    REQUIRE(all.moments.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(all.moments[i].step == hours(6) * static_cast<long>(i + 1));
      CHECK(all.moments[i].previous_step == hours(6) * static_cast<long>(i));
    }
  }
}

TEST_CASE("without a lead time, and of a dataset that is only read, there is step 0 alone") {
  CHECK(outlook(hours(0), 1, {"tp"}).moments.empty());
  CHECK(outlook(hours(30), 1, {}).moments.empty());
}
