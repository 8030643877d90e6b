#include "worker/forecast/plan.h"

#include <limits>
#include <string>
#include <utility>

#include "common/errors.h"

namespace tradewind::forecast {

int model_calls(Duration lead_time, Duration shift) {
  if (shift.count() <= 0) {
    throw UserError("the time step of the model is " + duration_text(shift), "checkpoint metadata",
                    "give it with patch_metadata");
  }
  if (lead_time.count() < 0) throw UserError("lead_time is negative: " + duration_text(lead_time), "lead_time");
  const auto calls = lead_time.count() / shift.count() + (lead_time.count() % shift.count() != 0 ? 1 : 0);
  if (calls > std::numeric_limits<int>::max())
    throw UserError("lead_time takes " + std::to_string(calls) + " calls of the model", "lead_time");
  return static_cast<int>(calls);
}

DatasetSteps steps_of(const checkpoint::TimeStepping& time, std::int64_t input_steps, std::int64_t output_steps) {
  return {time.input_offsets, time.output_offsets, advance_map(time, input_steps, output_steps)};
}

Plan::Plan(Time date, Duration lead_time, Duration shift, std::vector<DatasetSteps> datasets)
    : date_(date),
      lead_time_(lead_time),
      shift_(shift),
      datasets_(std::move(datasets)),
      calls_(model_calls(lead_time, shift)) {}

Plan Plan::of_windows(Time date, Duration lead_time, Duration window, std::vector<DatasetSteps> datasets) {
  if (window.count() > 0 && lead_time >= Duration::zero()) lead_time -= lead_time % window;
  if (lead_time == Duration::zero())
    throw UserError("lead_time is shorter than the " + duration_text(window) + " between the model's inputs",
                    "lead_time", "write a multiple of " + duration_text(window));
  Plan plan(date, lead_time, window, std::move(datasets));
  plan.windows_ = true;
  return plan;
}

Call Plan::call(int number) const {
  Call call{.number = number,
            .last = number + 1 == calls_,
            .start = shift_ * number,
            .end = shift_ * (number + 1),
            .datasets = {}};
  for (const DatasetSteps& dataset : datasets_) {
    DatasetCall& part = call.datasets.emplace_back();
    part.next_start = call.end;
    for (const Duration offset : dataset.inputs) part.inputs.push_back(call.start + offset);
    Duration previous{};
    if (number > 0 && !dataset.outputs.empty())
      previous = windows_ ? call.start : shift_ * (number - 1) + dataset.outputs.back();
    for (std::size_t row = 0; row < dataset.outputs.size(); ++row) {
      const Duration step = call.start + dataset.outputs[row];
      if (step <= lead_time_) part.states.push_back({static_cast<std::int64_t>(row), step, previous});
      previous = step;
    }
    for (const auto& [from, to] : dataset.moves.output_to_input)
      part.filled.push_back({to, call.start + dataset.outputs.at(static_cast<std::size_t>(from))});
  }
  return call;
}

}  // namespace tradewind::forecast
