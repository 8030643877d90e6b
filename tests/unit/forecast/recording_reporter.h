#pragma once

#include <string>
#include <vector>

#include "worker/report/reporter.h"

// Keeps what a run tells.
class RecordingReporter : public tradewind::report::Reporter {
 public:
  void phase(tradewind::report::Phase phase) override { phases.push_back(phase); }
  void step_done(const tradewind::report::StepDone& step) override { steps.push_back(step); }
  void note(const std::string& text) override { notes.push_back(text); }
  void warning(const std::string& text) override { warnings.push_back(text); }
  void finished(const tradewind::report::Timings&, tradewind::report::Json given) override {
    done = true;
    figures = std::move(given);
  }

  std::vector<tradewind::report::Phase> phases;
  std::vector<tradewind::report::StepDone> steps;
  std::vector<std::string> notes, warnings;
  tradewind::report::Json figures;
  bool done = false;
};
