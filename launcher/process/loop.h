// What the shells around the state machines share: one single-threaded context with the signals to this process and one
// alarm. Not thread-safe; main thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <functional>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace tradewind::launcher {

class Loop {
 public:
  // SIGINT, SIGTERM, SIGHUP and SIGUSR1 go to `signalled`, SIGUSR2 as if it were SIGUSR1; what the parent had ignored
  // (nohup, a shell's background job) stays so. Afterwards they do what they did before.
  Loop(std::function<void(int)> signalled, std::function<void()> alarmed);

  boost::asio::io_context& context() { return context_; }
  // Waits for the next event and handles it.
  void step() { context_.run_one(); }
  // Calls `alarmed` once that time has come; TimePoint::max(): never. Replaces an earlier wish.
  void alarm_at(TimePoint when);

 private:
  // What these signals did before; the last to go, after the set that would leave them at their default.
  struct Before {
    ~Before();
    std::vector<std::pair<int, struct sigaction>> actions;
  };

  void await_signal();
  Before before_;
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer alarm_;
  TimePoint armed_ = TimePoint::max();
  std::function<void(int)> signalled_;
  std::function<void()> alarmed_;
};

}  // namespace tradewind::launcher
