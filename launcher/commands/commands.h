// What each command of `tradewind` does. Each returns the exit code and throws tradewind::Error when it cannot start.
// Call from the main thread.
#pragma once

#include "common/env.h"
#include "launcher/cli/command_line.h"

namespace tradewind::launcher {

// `started`: when this process began, for the report's total.
int run(const RunCommand& command, const Environment& environment, TimePoint started);
int predict(const PredictCommand& command, const Environment& environment, TimePoint started);
int compare(const CompareCommand& command, const Environment& environment, TimePoint started);

}  // namespace tradewind::launcher
