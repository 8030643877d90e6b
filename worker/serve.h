// One worker process from its launcher's hello to its exit code.
#pragma once

#include <functional>
#include <memory>

#include "common/env.h"
#include "worker/dist/communicator.h"

namespace tradewind::worker {

// What may be put around the communicator of a run: nothing in the worker proper, a fault in the worker of drills.
using Around = std::function<std::unique_ptr<dist::Communicator>(std::unique_ptr<dist::Communicator>)>;

// Everything `main` does. Reports every error once, to the launcher, or to standard error when there is none.
int serve(int argc, char** argv, const Environment& environment, const Around& around = {});

}  // namespace tradewind::worker
