// Ends the sessions of programs when this process is killed and cannot do so itself: a small process of its own, which
// holds the other end of a pipe. (A parent-death signal reaches the leader of a session only.) Not thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

inline constexpr const char* guard_option = "--guard-sessions";  // of this executable, not for users

class SessionGuard {
 public:
  // Starts it. EnvironmentFault when it cannot be started.
  SessionGuard();
  // Sends it home.
  ~SessionGuard();
  SessionGuard(const SessionGuard&) = delete;
  SessionGuard& operator=(const SessionGuard&) = delete;

  void add(pid_t session) { tell(std::string("+").append(std::to_string(session))); }
  void remove(pid_t session) {
    tell(std::string("-").append(std::to_string(session)));
  }  // it has ended: its number may be another's

 private:
  void tell(const std::string& line) const;
  Descriptor pipe_;
  pid_t pid_ = -1;
};

// What that process does: reads from standard input until it is sent home, or the other end is gone. For main().
int guard_sessions();

}  // namespace tradewind::launcher
