// Passes what the runner tells to the launcher, and the launcher's wish to stop to the runner.
#pragma once

#include <exception>

#include "worker/channel/channel.h"
#include "worker/channel/memory.h"
#include "worker/report/reporter.h"

namespace tradewind::channel {

// Thrown out of phase() and step_done() when the launcher asked for an orderly stop: unwinds the run, so that files
// are closed under their .partial names. No Error: nothing went wrong.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped on request"; }
};

class ChannelReporter : public report::Reporter {
 public:
  explicit ChannelReporter(Channel& channel) : channel_(channel) {}
  void phase(report::Phase phase) override;
  void step_done(const report::StepDone& step) override;
  void note(const std::string& text) override;
  void warning(const std::string& text) override;
  void finished(const report::Timings& timings, report::Json figures) override;
  // What finished() was told, with this process's memory: the message that ends the run.
  proto::Finished result(int exit_code);

 private:
  void leave_when_asked();
  Channel& channel_;
  MemoryWatch memory_;
  report::Timings timings_;
  report::Json figures_ = report::Json::object();
};

}  // namespace tradewind::channel
