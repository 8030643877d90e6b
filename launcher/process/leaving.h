// Signals to a process whose work is over and told, and which has only to leave. Main thread only.
#pragma once

#include <csignal>

namespace tradewind::launcher {

// SIGINT, SIGTERM and SIGHUP wait while this lives.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

// From then on these signals, unless they are ignored, end this process at once with `code`. By default they would end
// it as a signal does, which who started it may take for something else: salloc takes death by SIGINT for success.
void leave_on_signals(int code);

}  // namespace tradewind::launcher
