// What the user says about the hang watch, and its times. Plain values; watch.h says what they mean.
#pragma once

#include <optional>

namespace tradewind::launcher {

enum class HangMode { stop, observe, off };

struct WatchSettings {  // seconds
  HangMode mode = HangMode::stop;
  std::optional<double> hang_after;  // replaces every budget
  bool programs = false;             // ranks are programs that tell nothing of themselves (program_watch.h)
  double interval = 1;               // between samples
  double floor = 5;                  // the least budget of a step
  double stopped = 5;                // how long a process must be stopped to be the culprit
  double load = 120, input = 120, output = 120, first_step = 120;
  double connecting = 30;  // the first collective of a run, which may set up connections
  int confirmations = 3;
  // Of programs: nobody shows a sign of life while a rank waits for others; one computes for so long while all others
  // wait, or nobody is seen to wait for anybody.
  double idle = 60, computing = 900;
};

}  // namespace tradewind::launcher
