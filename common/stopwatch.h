// Seconds since it was made.
#pragma once

#include "common/clock.h"

namespace tradewind {

class Stopwatch {
 public:
  double seconds() const { return seconds_since(start_); }

 private:
  TimePoint start_ = Clock::now();
};

}  // namespace tradewind
