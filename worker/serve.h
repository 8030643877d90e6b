// One worker process from its launcher's hello to its exit code.
#pragma once

namespace tradewind::worker {

// Everything `main` does. Reports every error once, to the launcher, or to standard error when there is none.
int serve(int argc, char** argv);

}  // namespace tradewind::worker
