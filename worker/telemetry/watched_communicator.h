// A communicator whose calls are seen from outside: records each one in the telemetry page and passes it on.
#pragma once

#include <memory>

#include "worker/dist/communicator.h"
#include "worker/telemetry/recorder.h"

namespace tradewind::telemetry {

// The recorder must outlive it.
std::unique_ptr<dist::Communicator> watch_calls(std::unique_ptr<dist::Communicator> inner, Recorder& recorder);

}  // namespace tradewind::telemetry
