// How a transport model comes from a source field to a state: levels, of noise or of time, that a sampler goes through,
// and its options. A checkpoint holds defaults, a run configuration may name others. Plain values and pure functions,
// thread-safe. Formulas: anemoi.models.transport.schedules, after Karras et al. 2022 (EDM).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tradewind::sampling {

// What the network was trained for: to remove noise of a level sigma, or to move a field along the time from 0 to 1.
enum class Objective { denoise, move };

// An option as it is written.
using Value = std::variant<bool, std::int64_t, double, std::string>;
struct Option {
  Value value;
  std::string where = {};  // it stands, for complaints; no part of what it means
  bool operator==(const Option& other) const { return value == other.value; }
};
using Options = std::map<std::string, Option>;
// Of a schedule (with its name, schedule_type) and of a sampler (sampler).
struct Choice {
  Options schedule, sampler;
  bool operator==(const Choice&) const = default;
};

struct Schedule {
  std::string type;
  std::int64_t steps = 0;
  double sigma_max = 0, sigma_min = 0, rho = 7, s = 0.008;  // rho: of karras; s: of cosine
  bool operator==(const Schedule&) const = default;
};
// Names as in anemoi-models: S_churn, S_min, S_max, S_noise, eps_prec, euler_final_step.
struct Sampler {
  std::string name;
  double churn = 0, churn_min = 0, churn_max = std::numeric_limits<double>::infinity(), churn_noise = 1;
  double precision = 1e-10;
  bool euler_final_step = true;
  bool operator==(const Sampler&) const = default;
};
struct Sampling {
  Schedule schedule;
  Sampler sampler;
  bool operator==(const Sampling&) const = default;
};

// The two maps of options of a choice; their names in a configuration: schedule_params, sampler_params.
enum class Part { schedule, sampler };

// What any schedule or sampler takes.
std::vector<std::string> option_names(Part part);
// UserError when the option exists nowhere or its value cannot be, whatever the model. prefix: of the names of options
// in messages, such as "predict_kwargs.sampler_params.".
void check(Part part, const std::string& prefix, const std::string& name, const Option& option);
// What a model with these defaults does when asked for `wanted`. UserError for an unknown schedule or sampler, for an
// option that the chosen one does not take, or that is missing. Defaults that it does not take count for another.
Sampling resolve(Objective objective, const Choice& defaults, const Choice& wanted);

// The levels from first to last, steps + 1 of them: sigma down to 0, or the time from 0 to 1. Finite.
std::vector<double> levels(const Schedule& schedule);
// Calls of the network that it takes to go through them.
std::int64_t network_calls(const Sampling& sampling);
// "heun, 6 steps of karras from 100 to 0.02 (rho 7)"
std::string text(const Sampling& sampling);

}  // namespace tradewind::sampling
