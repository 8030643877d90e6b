// What the agent says for a program that does not speak our protocol: hello when it runs, finished when it leaves with
// 0, a failure when it does not. Lines that it writes to TRADEWIND_PHASE_FD say where it is: `PHASE [STEP[/STEPS]
// [PATH]]`. They go into the rank's telemetry page, too.
#pragma once

#include <optional>
#include <string>

#include "launcher/agent/speech.h"
#include "launcher/process/text_lines.h"
#include "launcher/watch/python_frames.h"
#include "proto/telemetry.h"

namespace tradewind::launcher {

struct PhaseLine {
  std::string phase, path;
  int step = 0, steps = 0;
  bool operator==(const PhaseLine&) const = default;
};
// Nothing for a line without a word. Control characters are taken out, texts cut. Pure.
std::optional<PhaseLine> phase_line(std::string_view line);

// What the last lines of a program's standard error make of the code that it left with: a lost connection is what the
// failure of another rank looks like. Pure.
bool speaks_of_lost_connection(const std::string& line);
// Gloo aborts a healthy rank that receives what it did not expect.
bool speaks_of_mismatch(const std::string& line);

class ProgramSpeech : public Speech {
 public:
  // `page`: the rank's, written here only; it outlives this. `log`: where its lines are, for the remedy.
  ProgramSpeech(proto::TelemetryPage& page, std::string log);

  void began(int pid) override;
  void start() override {}
  // SIGTERM, which is what batch systems ask programs to end with.
  void stop() override;
  void heard(std::string_view bytes) override;
  void wrote(proto::Stream stream, const std::string& line) override;
  void left(const Exit& exit) override;

 private:
  void told(const std::string& line);

  proto::TelemetryPage& page_;
  std::string log_, phase_;
  TextLines lines_;
  Traceback traceback_;
  bool asked_to_stop_ = false, lost_connection_ = false, mismatch_ = false;
};

}  // namespace tradewind::launcher
