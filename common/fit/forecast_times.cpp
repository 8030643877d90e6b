#include <algorithm>

#include "common/fit/parts.h"

namespace tradewind::fit {
namespace {

// The lead times that the forecast comes to, 0 left out: model call after model call, up to lead_time.
std::vector<Duration> lead_times(const Case& one) {
  const checkpoint::TimeStepping& time = one.metadata.time;
  std::vector<Duration> times;
  constexpr std::size_t kEnough = 100000;
  for (Duration start{}; start < one.config.lead_time && times.size() < kEnough; start += time.rollout_shift) {
    for (const Duration offset : time.output_offsets)
      if (start + offset <= one.config.lead_time) times.push_back(start + offset);
    if (time.rollout_shift <= Duration::zero()) break;
  }
  return times;
}

// The lead time up to which a forecast of whole steps goes.
void check_lead_time(Case& one, const std::vector<Duration>& times, Duration first, bool initial) {
  const Duration lead_time = one.config.lead_time;
  const std::string what = "`lead_time` is " + duration_text(lead_time);
  const config::Location& where = one.where("lead_time");
  const std::string step = duration_text(first);
  if (times.empty()) {
    if (initial)
      one.findings.warn(where,
                        what + ", shorter than the first step of " + step + ": only the initial state is written");
    else
      one.findings.refuse(UserError(what + ", shorter than the first step of " + step + ": nothing would be written",
                                    where.text(), "write at least " + step));
    return;
  }
  const Duration last = *std::max_element(times.begin(), times.end());
  if (last != lead_time)
    one.findings.warn(
        where, what + ", no multiple of the step of " + step + ": the last forecast is of " + duration_text(last));
}

void check_frequency(Case& one, const std::vector<Duration>& times, Duration first, bool initial) {
  const config::OutputCommon* common = common_of(one.config.output);
  std::optional<Duration> frequency = one.config.output_frequency;
  config::Place at{"output_frequency", one.where("output_frequency").text()};
  if (common->output_frequency) {
    if (frequency && *frequency != *common->output_frequency)
      warn(one, at, "`output_frequency` counts for nothing: the output has its own");
    frequency = common->output_frequency;
    at = common->output_frequency_at;
  }
  if (!frequency || times.empty()) return;
  const std::string what = "`" + at.key + "` is " + duration_text(*frequency);
  const std::string step = duration_text(first);
  const auto due = [&](Duration time) { return time % *frequency == Duration::zero(); };
  if (std::none_of(times.begin(), times.end(), due)) {
    const bool fits = *frequency % first == Duration::zero();
    const std::string why = fits ? ", longer than the forecast of " + duration_text(one.config.lead_time)
                                 : ", of which no step of the forecast is a multiple (a step is " + step + ")";
    if (fits && initial)
      warn(one, at, what + why + ": only the initial state is written");
    else
      refuse(one, at, what + why + ": no step would be written", "write a multiple of " + step);
    return;
  }
  if (*frequency % first != Duration::zero())
    warn(one, at,
         what + ", no multiple of the step of " + step + ": only steps that are multiples of both are written");
}

}  // namespace

void check_times(Case& one) {
  const checkpoint::TimeStepping& time = one.metadata.time;
  if (time.output_offsets.empty() || time.output_offsets.front() <= Duration::zero()) return;  // an obstacle by itself
  const config::OutputCommon* common = common_of(one.config.output);
  const bool initial = common == nullptr || common->write_initial_state.value_or(one.config.write_initial_state);
  const Duration first = time.output_offsets.front();
  const std::vector<Duration> times = lead_times(one);
  check_lead_time(one, times, first, initial);
  if (common != nullptr) check_frequency(one, times, first, initial);
}

}  // namespace tradewind::fit
