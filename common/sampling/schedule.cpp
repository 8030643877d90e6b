#include <cmath>
#include <sstream>

#include "common/errors.h"
#include "common/sampling/sampling.h"

namespace tradewind::sampling {
namespace {

double karras(double t, const Schedule& schedule) {
  const double most = std::pow(schedule.sigma_max, 1 / schedule.rho);
  const double least = std::pow(schedule.sigma_min, 1 / schedule.rho);
  return std::pow(most + t * (least - most), schedule.rho);
}

double exponential(double t, const Schedule& schedule) {
  const double most = std::log(schedule.sigma_max), least = std::log(schedule.sigma_min);
  return std::exp(most + t * (least - most));
}

double cosine(double t, const Schedule& schedule) {
  constexpr double pi = 3.14159265358979323846;
  const double s = schedule.s;
  const double most = 2 * std::atan(schedule.sigma_max) / pi * (1 + s) - s;
  const double least = 2 * std::atan(schedule.sigma_min) / pi * (1 + s) - s;
  const double alpha = std::pow(std::cos((most + t * (least - most) + s) / (1 + s) * pi / 2), 2);
  return std::sqrt((1 - alpha) / alpha);
}

// Position `step` of `count` from 0 to 1.
double fraction(std::int64_t step, std::int64_t count) {
  return count <= 1 ? 0 : static_cast<double>(step) / static_cast<double>(count - 1);
}

double sigma(std::int64_t step, const Schedule& schedule) {
  const double t = fraction(step, schedule.steps);
  if (schedule.type == "karras") return schedule.steps == 1 ? schedule.sigma_max : karras(t, schedule);
  if (schedule.type == "exponential") return exponential(t, schedule);
  if (schedule.type == "cosine") return cosine(t, schedule);
  if (schedule.type == "linear") return schedule.sigma_max + t * (schedule.sigma_min - schedule.sigma_max);
  throw InternalFault("a schedule without levels: " + schedule.type);
}

}  // namespace

std::vector<double> levels(const Schedule& schedule) {
  std::vector<double> out;
  if (schedule.type == "unit_time") {
    for (std::int64_t step = 0; step <= schedule.steps; ++step) out.push_back(fraction(step, schedule.steps + 1));
    return out;
  }
  for (std::int64_t step = 0; step < schedule.steps; ++step) out.push_back(sigma(step, schedule));
  out.push_back(0);
  return out;
}

std::int64_t network_calls(const Sampling& sampling) {
  const std::int64_t steps = sampling.schedule.steps;
  if (sampling.sampler.name != "heun") return steps;
  const bool moves = sampling.schedule.type == "unit_time";
  return 2 * steps - (!moves || sampling.sampler.euler_final_step ? 1 : 0);
}

std::string text(const Sampling& sampling) {
  const Schedule& schedule = sampling.schedule;
  std::ostringstream out;
  out << sampling.sampler.name << ", " << schedule.steps << (schedule.steps == 1 ? " step" : " steps") << " of "
      << schedule.type;
  if (schedule.type != "unit_time") out << " from sigma " << schedule.sigma_max << " to " << schedule.sigma_min;
  if (schedule.type == "karras") out << ", rho " << schedule.rho;
  if (schedule.type == "cosine") out << ", s " << schedule.s;
  if (sampling.sampler.churn > 0) out << ", churn " << sampling.sampler.churn;
  return out.str();
}

}  // namespace tradewind::sampling
