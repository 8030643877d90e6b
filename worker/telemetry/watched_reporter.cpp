#include "worker/telemetry/watched_reporter.h"

#include <algorithm>

namespace tradewind::telemetry {

// The page first: what comes after may block, and the page is to say where.
void WatchedReporter::phase(report::Phase phase) {
  if (phase == report::Phase::first_step) recorder_.step(1, 0, {});
  recorder_.phase(report::name_of(phase));
  inner_.phase(phase);
}

void WatchedReporter::step_done(const report::StepDone& step) {
  recorder_.step(std::min(step.step + 1, step.steps), step.steps, step.valid_time);
  inner_.step_done(step);
}

}  // namespace tradewind::telemetry
