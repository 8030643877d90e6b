// Decides for an agent whose controller is another process: how long to believe that it is there, and what becomes of
// the workers when it is not. Pure: events in, orders out, time is an argument. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/supervisor/stop_sequence.h"
#include "launcher/wire/heartbeat.h"
#include "proto/control.h"

namespace tradewind::launcher {

class Membership {
 public:
  explicit Membership(TimePoint now, Patience patience = {}) : patience_(patience), heartbeat_(now, patience) {}

  void heard(TimePoint now) { heartbeat_.heard(now); }
  // The connection to the controller is gone: the workers must go too.
  void lost(const std::string& how, TimePoint now);
  // The controller has sent this agent home.
  void dismissed(int exit_code) { exit_code_ = exit_code; }
  void signalled(int number, TimePoint now);

  struct Due {
    bool send_alive = false;
    std::vector<proto::Act::Kind> to_workers;
  };
  Due passed(TimePoint now);
  TimePoint deadline() const;  // call passed() then

  bool alone() const { return fault_.has_value(); }
  // Whether to leave, given that workers still live or not; then with which code, and what to tell the user first.
  bool over(bool living) const { return exit_code_.has_value() || abandoned_ || (fault_ && !living); }
  int exit_code() const;
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  Patience patience_;
  Heartbeat heartbeat_;
  std::optional<std::string> fault_;
  std::optional<StopSequence> stopping_;
  std::optional<int> exit_code_;
  int signal_ = 0;
  bool abandoned_ = false;
};

}  // namespace tradewind::launcher
