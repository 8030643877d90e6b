#include <algorithm>
#include <cstdint>
#include <numeric>

#include "common/fit/parts.h"

namespace tradewind::fit {
namespace {

// The lead times that the forecast comes to, 0 left out: model call after model call, up to lead_time.
std::vector<Duration> lead_times(const Case& one) {
  const checkpoint::TimeStepping& time = one.metadata.time;
  std::vector<Duration> times;
  constexpr std::size_t kEnough = 100000;
  // Of a temporal downscaler only whole windows are filled.
  const Duration reach = time.between_inputs ? time.rollout_shift : Duration(1);
  for (Duration start{}; start + reach <= one.config.lead_time && times.size() < kEnough; start += time.rollout_shift) {
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

// Of a temporal downscaler: as many whole windows as it holds are filled.
void check_windows(Case& one) {
  const Duration lead_time = one.config.lead_time, window = one.metadata.time.rollout_shift;
  const Duration left = lead_time % window;
  const std::string what = "`lead_time` is " + duration_text(lead_time);
  const std::string between = " the " + duration_text(window) + " between the model's inputs";
  const config::Location& where = one.where("lead_time");
  if (lead_time < window)
    one.findings.refuse(
        UserError(what + ", shorter than" + between, where.text(), "write a multiple of " + duration_text(window)));
  else if (left != Duration::zero())
    one.findings.warn(where, what + ", no multiple of" + between + ": nothing after " +
                                 duration_text(lead_time - left) + " is written");
}

// The step of which all output times are multiples.
Duration step_of(const checkpoint::TimeStepping& time) {
  if (!time.between_inputs) return time.output_offsets.front();
  std::int64_t step = time.rollout_shift.count();
  for (const Duration offset : time.output_offsets) step = std::gcd(step, offset.count());
  return Duration(step);
}

bool writes_initial(const Case& one, const config::OutputLeaf& leaf) {
  return leaf.common->write_initial_state.value_or(one.config.write_initial_state);
}

void check_frequency(Case& one, const std::vector<Duration>& times, Duration first, std::optional<Duration> frequency,
                     const config::Origin& at, bool initial) {
  if (!frequency || times.empty()) return;
  const std::string what = "`" + at.key + "` is " + duration_text(*frequency);
  const std::string step = duration_text(first);
  const auto due = [&](Duration time) { return time % *frequency == Duration::zero(); };
  if (std::none_of(times.begin(), times.end(), due)) {
    const bool multiple = *frequency % first == Duration::zero();  // of a temporal downscaler, of its windows' ends
    const bool fits = multiple && *frequency > one.config.lead_time;
    const std::string why = fits ? ", longer than the forecast of " + duration_text(one.config.lead_time)
                                 : ", of which no step of the forecast is a multiple (a step is " + step + ")";
    if (fits && initial)
      warn(one, at, what + why + ": only the initial state is written");
    else
      refuse(one, at, what + why + ": no step would be written", (multiple ? "write " : "write a multiple of ") + step);
    return;
  }
  if (*frequency % first != Duration::zero())
    warn(one, at,
         what + ", no multiple of the step of " + step + ": only steps that are multiples of both are written");
}

// Of each output its own, of those without one the run's.
void check_frequencies(Case& one, const std::vector<config::OutputLeaf>& leaves, const std::vector<Duration>& times,
                       Duration first) {
  const std::optional<Duration> of_run = one.config.output_frequency;
  const config::Origin at{"output_frequency", one.where("output_frequency").text()};
  bool counts = false, differs = false, initial = false;
  for (const config::OutputLeaf& leaf : leaves) {
    const std::optional<Duration> own = leaf.common->output_frequency;
    differs = differs || (own && own != of_run);
    counts = counts || !own;
    if (own) check_frequency(one, times, first, own, leaf.common->output_frequency_at, writes_initial(one, leaf));
    if (!own) initial = initial || writes_initial(one, leaf);
  }
  if (counts) check_frequency(one, times, first, of_run, at, initial);
  if (of_run && !counts && differs)
    warn(one, at,
         "`output_frequency` counts for nothing: " +
             std::string(leaves.size() == 1 ? "the output has its own" : "the outputs have their own"));
}

}  // namespace

void check_times(Case& one) {
  const checkpoint::TimeStepping& time = one.metadata.time;
  if (time.output_offsets.empty() || time.output_offsets.front() <= Duration::zero()) return;  // an obstacle by itself
  const std::vector<config::OutputLeaf> leaves = config::leaves_of(one.config.output);
  const bool initial = leaves.empty() || std::any_of(leaves.begin(), leaves.end(), [&](const config::OutputLeaf& leaf) {
                         return writes_initial(one, leaf);
                       });
  const Duration first = step_of(time);
  const std::vector<Duration> times = lead_times(one);
  if (time.between_inputs)
    check_windows(one);
  else
    check_lead_time(one, times, first, initial);
  if (!leaves.empty()) check_frequencies(one, leaves, times, first);
}

}  // namespace tradewind::fit
