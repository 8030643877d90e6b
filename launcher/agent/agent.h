// The parent of this host's workers: starts them, watches them to their end, passes on what they say. Owns one
// single-threaded Asio context with their reaping, standard streams, channels, the signals to this process and the
// timers; every decision is the supervisor's. Call from the main thread.
#pragma once

#include <string>
#include <vector>

#include "launcher/process/spawn.h"
#include "launcher/supervisor/supervisor.h"
#include "proto/messages.h"

namespace tradewind::launcher {

struct RankPlan {
  Spawn spawn;
  proto::Start start;
};

enum class Stream { output, error };

// What the user sees of a run.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void message(int rank, const proto::Message& message) = 0;
  virtual void line(int rank, Stream stream, const std::string& line) = 0;
};

// Returns when every worker has ended and nothing of its session is left. plans[i] is rank i's. A listener is closed
// here once its worker has it, so that it goes with that worker. EnvironmentFault when a worker cannot be started (none
// is left then); ProtocolError when a `start` cannot be sent.
Outcome run_ranks(std::vector<RankPlan> plans, const Limits& limits, Observer& observer);

}  // namespace tradewind::launcher
