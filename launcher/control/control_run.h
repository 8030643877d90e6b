// The launcher process that decides for a run: the shell around the conductor. Has ranks of its own, or agents that
// come over TCP, or both; may have started those agents itself (srun). Not thread-safe; main thread only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/agent/agent.h"
#include "launcher/control/conductor.h"
#include "launcher/process/loop.h"
#include "launcher/wire/control_address.h"
#include "launcher/wire/server.h"

namespace tradewind::launcher {

// How agents in other processes find this one.
struct Reach {
  std::string token;
  Descriptor listener;                                   // where they come to
  std::string address = {};                              // of the listener; empty: every address of this host
  std::string control_file = {};                         // to write; empty: none
  std::function<void(const ControlAddress&)> tell = {};  // beside the file, as soon as agents may come
  Server::Now now = [] { return Clock::now(); };         // for who comes and says nothing
};

struct ControlPlan {
  proto::Launch launch;
  Host host;
  Environment environment;
  std::optional<Seats> seats;  // ranks of this process
  std::optional<Reach> reach;  // when there are other agents
  // Starts the other agents: its command and environment, to which TRADEWIND_CONTROL and TRADEWIND_TOKEN are added.
  std::optional<Spawn> starter;
  std::vector<std::string> expected_hosts;
  Limits limits;
};

class ControlRun {
 public:
  // EnvironmentFault when it cannot listen, UserError when the configuration is too large to send.
  ControlRun(ControlPlan plan, Audience& audience);
  ~ControlRun();

  // Returns when the run is over: every worker has ended, or nothing helped.
  Outcome run();
  // Sends the agents home with the run's code; call when the report is written.
  void dismiss();

  int port() const { return server_ ? server_->port() : 0; }

 private:
  void lost(int agent, const std::string& how);
  void take(Orders orders);
  void deliver();
  void start_starter(Spawn starter);

  Audience& audience_;
  Loop loop_;
  Conductor conductor_;
  std::optional<Agent> agent_;
  std::optional<Server> server_;
  std::unique_ptr<WorkerProcess> starter_;
  std::deque<std::string> starter_lines_;  // its last ones
  bool starter_ended_ = false;
  std::vector<std::pair<int, std::string>> lost_meanwhile_;  // agents, and how, since the starter has gone
  std::string control_file_;
  ControlAddress address_;
  std::deque<Order> orders_;
};

}  // namespace tradewind::launcher
