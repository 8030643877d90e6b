// Waits for the agents of all ranks, and finds the address at which the ranks meet. Pure. Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/errors.h"
#include "launcher/wire/connection.h"
#include "proto/control.h"

namespace tradewind::launcher {

class Gathering {
 public:
  // `expected`: the hosts on which agents should be, for the error, where known. The wait counts from `now`, or from
  // the first that comes when `now` is TimePoint::max(): what starts them may have to wait for room.
  Gathering(int world_size, std::vector<std::string> expected, Clock::duration wait, TimePoint now)
      : world_size_(world_size),
        expected_(std::move(expected)),
        wait_(wait),
        deadline_(now == TimePoint::max() ? now : now + wait) {}

  // An agent that cannot belong to this run is refused.
  std::optional<proto::Refused> came(int agent, const proto::Join& join, const Route& route, TimePoint now);
  void left(int agent) { agents_.erase(agent); }
  bool complete() const { return ranks_here() == world_size_; }
  TimePoint deadline() const { return deadline_; }
  // `k of N ranks came`, with the hosts; `why`: what is known beyond.
  proto::Refused missing(const std::string& why) const;

  // Once complete:
  std::vector<std::string> hosts() const;         // of each rank
  std::map<int, std::vector<int>> ranks() const;  // of each agent
  // By which rank 0's host is known: as its agent says, else as every host can reach it, 127.0.0.1 when all are on one
  // host.
  std::string master_address() const;
  int master_port() const;  // that rank 0's agent keeps free; 0: none

 private:
  struct Agent {
    proto::Join join;
    Route route;
  };
  int ranks_here() const;
  const Agent* agent_of(int rank) const;

  int world_size_;
  std::vector<std::string> expected_;
  Clock::duration wait_;
  TimePoint deadline_;
  std::map<int, Agent> agents_;
  std::string turned_away_;  // the last one, and why
};

}  // namespace tradewind::launcher
