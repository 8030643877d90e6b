// Whether the other end of a connection still lives: each end says `alive` every second, and is given up when nothing
// was heard of it for 5 s. Pure. Not thread-safe.
#pragma once

#include <algorithm>

#include "common/clock.h"

namespace tradewind::launcher {

struct Patience {
  Clock::duration interval = std::chrono::seconds(1);
  Clock::duration silence = std::chrono::seconds(5);
};

class Heartbeat {
 public:
  explicit Heartbeat(TimePoint now, Patience patience = {})
      : patience_(patience), heard_(now), due_(now + patience.interval) {}

  void heard(TimePoint now) { heard_ = now; }
  struct Tick {
    bool send = false;    // say `alive`
    bool silent = false;  // give the other end up
  };
  // Call at deadline(). A process that was itself stopped or starved comes late, and gives the other end its time
  // again: what that has said meanwhile is still unread.
  Tick tick(TimePoint now) {
    Tick tick;
    if (now > due_ + patience_.interval) heard_ = std::max(heard_, now - patience_.interval);
    if (now >= due_) {
      tick.send = true;
      due_ = now + patience_.interval;
    }
    tick.silent = now - heard_ >= patience_.silence;
    return tick;
  }
  TimePoint deadline() const { return due_; }

 private:
  Patience patience_;
  TimePoint heard_, due_;
};

}  // namespace tradewind::launcher
