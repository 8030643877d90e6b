// The parent of this host's workers: starts them when the controller says so, does to them what it orders, and tells
// what they say and do. Decides nothing. Not thread-safe; call from the main thread (process/spawn.h says why).
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "launcher/agent/rank_logs.h"
#include "launcher/agent/store_relay.h"
#include "launcher/agent/worker_process.h"
#include "launcher/launch/plan.h"
#include "launcher/process/session_guard.h"
#include "launcher/watch/watchman.h"

namespace tradewind::launcher {

class Agent {
 public:
  // Gets what is for the controller: Said, Wrote, Garbled, Ended, NotStarted, and what the store asks.
  using Send = std::function<void(proto::ControlMessage)>;
  Agent(boost::asio::io_context& context, Host host, Environment environment, Seats seats, Send send);

  proto::Join join(int world_size) const;
  // Launch, Act, Watch and the store's answers; nothing else concerns it.
  void obey(const proto::ControlMessage& message);
  // The same to every worker that has not ended.
  void to_all(proto::Act::Kind kind);
  bool living() const;  // a worker has not ended yet

 private:
  void launch(const proto::Launch& launch);
  void start(const proto::Launch& launch);
  void add(const RankPlan& plan, std::unique_ptr<Speech> speech);
  void start_workers(std::vector<RankPlan> plans);
  void start_programs(std::vector<RankPlan> plans, const proto::Launch& launch, int local_size);
  void pass_on(proto::ControlMessage message);
  void forget_session(int rank);
  void tell(StoreRelay::Told told);

  boost::asio::io_context& context_;
  Host host_;
  Environment environment_;
  Seats seats_;
  Send send_;
  std::unique_ptr<RankLogs> logs_;       // once launched
  std::set<int> spoke_;                  // ranks that have said a word
  Descriptor program_port_;              // of rank 0's agent: kept as long as it lives
  std::unique_ptr<SessionGuard> guard_;  // of programs
  bool told_why_ = false;                // one rank did not
  Watchman watchman_;
  StoreRelay store_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
};

}  // namespace tradewind::launcher
