#include "launcher/process/loop.h"

namespace tradewind::launcher {

using boost::system::error_code;

Loop::Loop(std::function<void(int)> signalled, std::function<void()> alarmed)
    : signals_(context_), alarm_(context_), signalled_(std::move(signalled)), alarmed_(std::move(alarmed)) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    struct sigaction current {};
    ::sigaction(number, nullptr, &current);
    if (current.sa_handler == SIG_IGN) continue;
    before_.actions.emplace_back(number, current);
    signals_.add(number);
  }
  await_signal();
}

Loop::Before::~Before() {
  for (const auto& [number, action] : actions) ::sigaction(number, &action, nullptr);
}

void Loop::await_signal() {
  signals_.async_wait([this](const error_code& error, int number) {
    if (error) return;
    signalled_(number == SIGUSR2 ? SIGUSR1 : number);
    await_signal();
  });
}

void Loop::alarm_at(TimePoint when) {
  if (when == armed_) return;
  armed_ = when;
  alarm_.cancel();
  if (when == TimePoint::max()) return;
  alarm_.expires_at(when);
  alarm_.async_wait([this](const error_code& error) {
    if (error) return;
    armed_ = TimePoint::max();
    alarmed_();
  });
}

}  // namespace tradewind::launcher
