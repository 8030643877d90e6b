// Connections that have not shown the job's token yet: bounded in number and in time, so that strangers cost little.
// Pure. Not thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "common/clock.h"

namespace tradewind::launcher {

class Lobby {
 public:
  explicit Lobby(std::size_t most = 256, Clock::duration wait = std::chrono::seconds(5)) : most_(most), wait_(wait) {}

  // The connection that has to go to make room, if any.
  std::optional<int> arrived(int id, TimePoint now) {
    waiting_.push_back({id, now + wait_});
    if (waiting_.size() <= most_) return std::nullopt;
    const int oldest = waiting_.front().id;
    waiting_.pop_front();
    return oldest;
  }
  // It has shown the token, or is gone.
  void left(int id) {
    std::erase_if(waiting_, [id](const Guest& guest) { return guest.id == id; });
  }
  // Those whose time is up.
  std::vector<int> passed(TimePoint now) {
    std::vector<int> late;
    while (!waiting_.empty() && now >= waiting_.front().until) {
      late.push_back(waiting_.front().id);
      waiting_.pop_front();
    }
    return late;
  }
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Guest {
    int id;
    TimePoint until;
  };
  std::size_t most_;
  Clock::duration wait_;
  std::deque<Guest> waiting_;  // the longest waiting first
};

}  // namespace tradewind::launcher
