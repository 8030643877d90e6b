// Passes what the runner tells to the launcher, and the launcher's wish to stop to the runner.
#pragma once

#include <exception>

#include "worker/channel/channel.h"
#include "worker/channel/memory.h"
#include "worker/runner/reporter.h"

namespace tradewind::channel {

// Thrown out of phase() and step_done() when the launcher asked for an orderly stop: unwinds the run, so that files
// are closed under their .partial names. No Error: nothing went wrong.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped on request"; }
};

class ChannelReporter : public runner::Reporter {
 public:
  explicit ChannelReporter(Channel& channel) : channel_(channel) {}
  void phase(runner::Phase phase) override;
  void step_done(const runner::StepDone& step) override;
  void note(const std::string& text) override;
  void warning(const std::string& text) override;
  void finished(const runner::Timings& timings, runner::Json figures) override;
  // What finished() was told, with this process's memory: the message that ends the run.
  proto::Finished result(int exit_code);

 private:
  void leave_when_asked();
  Channel& channel_;
  MemoryWatch memory_;
  runner::Timings timings_;
  runner::Json figures_ = runner::Json::object();
};

}  // namespace tradewind::channel
