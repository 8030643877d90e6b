// Schedules and options of samplers: levels against the reference's and closed forms, what a model and a user may ask
// for.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "common/errors.h"
#include "common/sampling/sampling.h"
#include "tests/unit/sampling/reference.h"

using namespace tradewind;
using namespace tradewind::sampling;

namespace {

Schedule schedule(const char* type, std::int64_t steps) {
  Schedule out;
  out.type = type;
  out.steps = steps;
  out.sigma_max = 80;
  out.sigma_min = 0.03;
  return out;
}

void same(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-14));
}

const Choice& of_checkpoint() {
  static const Choice choice = {{{"schedule_type", {std::string("karras")}},
                                 {"num_steps", {std::int64_t{6}}},
                                 {"sigma_max", {100.0}},
                                 {"sigma_min", {0.02}},
                                 {"rho", {7.0}}},
                                {{"sampler", {std::string("heun")}}, {"S_churn", {1.5}}}};
  return choice;
}

std::string refusal_of(Objective objective, const Choice& defaults, const Choice& wanted) {
  try {
    resolve(objective, defaults, wanted);
  } catch (const UserError& error) {
    return error.where() + ": " + error.message() + "; " + error.remedy();
  }
  return "";
}

std::string complaint(Part part, const char* name, const Value& value) {
  try {
    check(part, "p.", name, {value, "a.yaml:3:4"});
  } catch (const UserError& error) {
    CHECK(error.where() == "a.yaml:3:4");
    return error.message() + "; " + error.remedy();
  }
  return "";
}

}  // namespace

TEST_CASE("schedules have the reference's levels") {
  Schedule karras = schedule("karras", 5);
  karras.rho = 6;
  same(levels(karras), reference::levels_karras);
  same(levels(schedule("karras", 1)), reference::levels_karras_one);
  same(levels(schedule("linear", 4)), reference::levels_linear);
  Schedule cosine = schedule("cosine", 4);
  cosine.s = 0.02;
  same(levels(cosine), reference::levels_cosine);
  same(levels(schedule("exponential", 4)), reference::levels_exponential);
  same(levels(schedule("unit_time", 4)), reference::levels_unit_time);
}

TEST_CASE("a schedule begins with the highest level and ends with none, whatever the number of steps") {
  for (const char* type : {"karras", "linear", "cosine", "exponential"}) {
    for (const std::int64_t steps : {1, 2, 3, 50}) {
      const auto all = levels(schedule(type, steps));
      REQUIRE(all.size() == static_cast<std::size_t>(steps + 1));
      CHECK(all.front() == doctest::Approx(80));
      CHECK(all.back() == 0);
      if (steps > 1) CHECK(all[all.size() - 2] == doctest::Approx(0.03));
      for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i] < all[i - 1]);
    }
  }
}

TEST_CASE("what a configuration asks for goes before what the checkpoint has") {
  const Sampling own = resolve(Objective::denoise, of_checkpoint(), {});
  CHECK(own.schedule.type == "karras");
  CHECK(own.schedule.steps == 6);
  CHECK(own.schedule.sigma_max == 100);
  CHECK(own.sampler.churn == 1.5);
  CHECK(text(own) == "heun, 6 steps of karras from sigma 100 to 0.02, rho 7, churn 1.5");
  CHECK(network_calls(own) == 11);
  const Sampling other = resolve(Objective::denoise, of_checkpoint(),
                                 {{{"num_steps", {std::int64_t{20}}}, {"sigma_max", {std::int64_t{50}}}}, {}});
  CHECK(other.schedule.steps == 20);
  CHECK(other.schedule.sigma_max == 50);
  CHECK(other.schedule.sigma_min == 0.02);
  // rho and S_churn of the checkpoint are of what was not chosen
  const Sampling linear =
      resolve(Objective::denoise, of_checkpoint(),
              {{{"schedule_type", {std::string("linear")}}}, {{"sampler", {std::string("dpmpp_2m")}}}});
  CHECK(linear.schedule.type == "linear");
  CHECK(linear.sampler.churn == 0);
  CHECK(network_calls(linear) == 6);
  CHECK(text(linear) == "dpmpp_2m, 6 steps of linear from sigma 100 to 0.02");
}

TEST_CASE("network calls of samplers that move in time") {
  Choice choice = {{{"schedule_type", {std::string("unit_time")}}, {"num_steps", {std::int64_t{4}}}},
                   {{"sampler", {std::string("heun")}}}};
  CHECK(network_calls(resolve(Objective::move, choice, {})) == 7);
  CHECK(network_calls(resolve(Objective::move, choice, {{}, {{"euler_final_step", {false}}}})) == 8);
  CHECK(network_calls(resolve(Objective::move, choice, {{}, {{"sampler", {std::string("euler")}}}})) == 4);
  CHECK(text(resolve(Objective::move, choice, {})) == "heun, 4 steps of unit_time");
}

TEST_CASE("what does not go together is refused where it stands") {
  CHECK(refusal_of(Objective::denoise, of_checkpoint(), {{}, {{"euler_final_step", {true, "a.yaml:2:3"}}}}) ==
        "a.yaml:2:3: the sampler heun takes no euler_final_step; it takes S_churn, S_min, S_max, S_noise, eps_prec");
  CHECK(refusal_of(Objective::denoise, of_checkpoint(), {{}, {{"sampler", {std::string("euler"), "a.yaml:2:3"}}}}) ==
        "a.yaml:2:3: no sampler 'euler' for a model that removes noise; known: heun, dpmpp_2m");
  CHECK(refusal_of(Objective::move, of_checkpoint(), {}) ==
        ": no schedule 'karras' for a model that moves a field in time; known: unit_time");
  CHECK(refusal_of(Objective::denoise, of_checkpoint(), {{{"sigma_max", {0.01, "a.yaml:2:3"}}}, {}}) ==
        "a.yaml:2:3: sigma_max (0.01) is below sigma_min (0.02); noise is removed from the higher to the lower level");
  CHECK(refusal_of(Objective::denoise, of_checkpoint(), {{{"sigma_min", {200.0, "a.yaml:2:3"}}}, {}}) ==
        "a.yaml:2:3: sigma_max (100) is below sigma_min (200); noise is removed from the higher to the lower level");
  CHECK(refusal_of(Objective::denoise, {}, {}).find("the checkpoint names no schedule") != std::string::npos);
  Choice without = of_checkpoint();
  without.schedule.erase("sigma_min");
  CHECK(refusal_of(Objective::denoise, without, {}).find("the schedule karras needs sigma_min") != std::string::npos);
}

TEST_CASE("an option must exist and have a value that can be") {
  CHECK(complaint(Part::schedule, "num_steps", std::int64_t{20}).empty());
  CHECK(complaint(Part::sampler, "S_max", std::numeric_limits<double>::infinity()).empty());
  CHECK(
      complaint(Part::schedule, "nums_steps", std::int64_t{1}) ==
      "unknown option `p.nums_steps`; did you mean 'num_steps'? known: schedule_type, num_steps, sigma_max, sigma_min, "
      "rho, s");
  CHECK(complaint(Part::sampler, "num_steps", std::int64_t{1}).starts_with("unknown option `p.num_steps`"));
  CHECK(complaint(Part::schedule, "num_steps", 2.5) ==
        "`p.num_steps` must be a whole number from 1 to 100000, not 2.5; ");
  CHECK(complaint(Part::schedule, "num_steps", std::int64_t{0}) ==
        "`p.num_steps` must be a whole number from 1 to 100000, not 0; ");
  CHECK(complaint(Part::schedule, "num_steps", std::string("10")) ==
        "`p.num_steps` must be a whole number from 1 to 100000, not the text '10'; ");
  CHECK(complaint(Part::schedule, "sigma_min", std::int64_t{0}) == "`p.sigma_min` must be a number above 0, not 0; ");
  CHECK(complaint(Part::sampler, "S_churn", -0.5) == "`p.S_churn` must be a number, 0 or more, not -0.5; ");
  CHECK(complaint(Part::sampler, "S_churn", true) == "`p.S_churn` must be a number, 0 or more, not true; ");
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(complaint(Part::schedule, "rho", value).starts_with("`p.rho` must be a number above 0, not "));
  }
  CHECK(complaint(Part::sampler, "S_max", std::nan("")).starts_with("`p.S_max` must be a number, 0 or more, not "));
  CHECK(complaint(Part::sampler, "euler_final_step", std::int64_t{1}) ==
        "`p.euler_final_step` must be true or false, not 1; ");
  CHECK(complaint(Part::sampler, "sampler", std::string("huen")) ==
        "`p.sampler`: no sampler 'huen'; did you mean 'heun'? known: heun, dpmpp_2m, euler");
  CHECK(complaint(Part::schedule, "schedule_type", 1.0).starts_with("`p.schedule_type` must be a name: karras, "));
}
