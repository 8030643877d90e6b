// A reporter that also says in the telemetry page which phase and step the run is in.
#pragma once

#include <utility>

#include "worker/runner/reporter.h"
#include "worker/telemetry/recorder.h"

namespace tradewind::telemetry {

// Both must outlive it.
class WatchedReporter : public runner::Reporter {
 public:
  WatchedReporter(runner::Reporter& inner, Recorder& recorder) : inner_(inner), recorder_(recorder) {}
  void phase(runner::Phase phase) override;
  void step_done(const runner::StepDone& step) override;
  void note(const std::string& text) override { inner_.note(text); }
  void warning(const std::string& text) override { inner_.warning(text); }
  void finished(const runner::Timings& timings, runner::Json figures) override {
    inner_.finished(timings, std::move(figures));
  }

 private:
  runner::Reporter& inner_;
  Recorder& recorder_;
};

}  // namespace tradewind::telemetry
