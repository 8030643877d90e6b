#pragma once

#include <string>
#include <vector>

#include "worker/runner/reporter.h"

// Keeps what a run tells.
class RecordingReporter : public tradewind::runner::Reporter {
 public:
  void phase(tradewind::runner::Phase phase) override { phases.push_back(phase); }
  void step_done(const tradewind::runner::StepDone& step) override { steps.push_back(step); }
  void note(const std::string& text) override { notes.push_back(text); }
  void warning(const std::string& text) override { warnings.push_back(text); }
  void finished(const tradewind::runner::Timings&, tradewind::runner::Json given) override {
    done = true;
    figures = std::move(given);
  }

  std::vector<tradewind::runner::Phase> phases;
  std::vector<tradewind::runner::StepDone> steps;
  std::vector<std::string> notes, warnings;
  tradewind::runner::Json figures;
  bool done = false;
};
