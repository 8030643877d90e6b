// The launcher process of ranks whose controller is another process: the shell around an agent and its membership.
// Not thread-safe; main thread only.
#pragma once

#include <optional>

#include "launcher/agent/agent.h"
#include "launcher/agent/membership.h"
#include "launcher/process/loop.h"
#include "launcher/wire/client.h"

namespace tradewind::launcher {

struct MemberPlan {
  int world_size = 1;
  Host host;
  Environment environment;
  Seats seats;
  Client::Look look;
  Clock::duration wait = std::chrono::seconds(30);  // for the controller to be found
  Patience patience;
};

// Returns with the run's exit code once the controller has sent this agent home, else with its own. EnvironmentFault
// when there is no controller, when it refuses this agent, or when it is lost; no worker is left then.
int run_member(MemberPlan plan);

}  // namespace tradewind::launcher
