// The text of a run's progress. Pure.
#pragma once

#include <string>

#include "proto/messages.h"

namespace tradewind::launcher {

class Progress {
 public:
  // `step 3/8  2024-01-15 18:00  0.12 s/step  0.6 s left`: for a line that is overwritten.
  std::string step(const proto::Step& step);
  // `step 3/8  2024-01-15 18:00  0.12 s`: for a log, a line per step.
  static std::string logged(const proto::Step& step);

 private:
  // Later steps are alike, the first one is slower: it counts only as long as it is the only one.
  double later_seconds_ = 0;
  int later_steps_ = 0;
};

// 0.12 s, 12.3 s, 4 min 05 s, 2 h 03 min
std::string duration_words(double seconds);

}  // namespace tradewind::launcher
