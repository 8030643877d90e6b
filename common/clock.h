// The clock by which everything here waits and measures: it never jumps. Thread-safe.
#pragma once

#include <chrono>

namespace tradewind {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

inline double seconds_since(TimePoint begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace tradewind
