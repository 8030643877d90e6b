// A reporter that also says in the telemetry page which phase and step the run is in.
#pragma once

#include <utility>

#include "worker/report/reporter.h"
#include "worker/telemetry/recorder.h"

namespace tradewind::telemetry {

// Both must outlive it.
class WatchedReporter : public report::Reporter {
 public:
  WatchedReporter(report::Reporter& inner, Recorder& recorder) : inner_(inner), recorder_(recorder) {}
  void phase(report::Phase phase) override;
  void step_done(const report::StepDone& step) override;
  void note(const std::string& text) override { inner_.note(text); }
  void warning(const std::string& text) override { inner_.warning(text); }
  void finished(const report::Timings& timings, report::Json figures) override {
    inner_.finished(timings, std::move(figures));
  }

 private:
  report::Reporter& inner_;
  Recorder& recorder_;
};

}  // namespace tradewind::telemetry
