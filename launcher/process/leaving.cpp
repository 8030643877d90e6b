#include "launcher/process/leaving.h"

#include <unistd.h>

#include <array>

namespace tradewind::launcher {
namespace {

constexpr std::array ends = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t code_to_leave_with = 0;

}  // namespace

SignalsHeld::SignalsHeld() {
  sigset_t held;
  sigemptyset(&held);
  for (const int number : ends) sigaddset(&held, number);
  ::pthread_sigmask(SIG_BLOCK, &held, &before_);
}

SignalsHeld::~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void leave_on_signals(int code) {
  code_to_leave_with = code;
  for (const int number : ends) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = [](int) { ::_exit(code_to_leave_with); };
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace tradewind::launcher
