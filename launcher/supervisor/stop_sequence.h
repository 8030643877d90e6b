// How workers are brought to an end: a list of means, each with the time it is given. Pure: times go in, means come
// out. Not thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "common/clock.h"

namespace tradewind::launcher {

enum class StopMeans {
  ask,        // the message `stop`
  terminate,  // SIGCONT and SIGTERM to the session
  kill,       // SIGKILL to the session
  abandon     // nothing helped: stop waiting
};

class StopSequence {
 public:
  struct Item {
    StopMeans means;
    Clock::duration grace;  // until the next one
  };
  // The user asked: ask, terminate, kill. Another rank failed: terminate, kill.
  static StopSequence orderly(TimePoint now);
  static StopSequence prompt(TimePoint now);
  StopSequence(std::vector<Item> items, TimePoint now) : items_(std::move(items)), due_(now) {}

  // Every means that is due.
  std::vector<StopMeans> advance(TimePoint now);
  // Goes to SIGKILL at the next advance().
  void hasten(TimePoint now);
  // When advance() has something to do next; nothing after `abandon`.
  std::optional<TimePoint> deadline() const;

 private:
  std::vector<Item> items_;
  std::size_t next_ = 0;
  TimePoint due_;
};

}  // namespace tradewind::launcher
