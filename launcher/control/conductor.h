// Decides for a whole run: waits for its agents, has them launch their ranks, watches over them (supervisor) and over
// the agents themselves. Pure: events in, orders out, time is an argument; the shells around it own sockets, processes
// and the clock. Not thread-safe.
//
// Agents are numbered by the shell. It has checked their tokens, and promises that nothing of an agent comes before
// joined() or after lost().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/control/gathering.h"
#include "launcher/control/heartbeat.h"
#include "launcher/control/key_store.h"
#include "launcher/control/orders.h"
#include "launcher/supervisor/supervisor.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

struct Hang;
struct HangNews;
class HangWatch;

// What the user sees of a run.
class Observer {
 public:
  static constexpr int starter = -1;  // in the place of a rank: what started the ranks
  virtual ~Observer() = default;
  virtual void message(int rank, const proto::Message& message) = 0;
  virtual void line(int rank, proto::Stream stream, const std::string& line) = 0;
  virtual void hosts(const std::vector<std::string>& hosts) { static_cast<void>(hosts); }  // of each rank
  // Of every rank, once a second.
  virtual void samples(const std::vector<proto::RankSample>& samples) { static_cast<void>(samples); }
  virtual void hang(const Hang& hang) { static_cast<void>(hang); }
  // The user asked how the run gets on (SIGUSR1).
  virtual void asked() {}
  // Why what the ranks print is lost, which ends the run; nullopt: it is not.
  virtual std::optional<RankError> fault() { return std::nullopt; }
};

class Conductor {
 public:
  // `launch`: all but what the agents bring: hosts, and the master address unless given. `now`: see Gathering.
  Conductor(proto::Launch launch, std::vector<std::string> expected_hosts, const Limits& limits, Observer& observer,
            TimePoint now);
  ~Conductor();
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  Orders joined(int agent, const proto::Join& join, const Route& route, TimePoint now);
  Orders heard(int agent, const proto::ControlMessage& message, TimePoint now);
  Orders lost(int agent, const std::string& how, TimePoint now);
  Orders signalled(int number, TimePoint now);  // to this process
  // What starts the ranks has ended (srun): nobody else will come.
  Orders starter_ended(const std::string& how, int exit_code, TimePoint now);
  Orders passed(TimePoint now);

  TimePoint deadline() const;  // call passed() then
  bool over() const;
  Outcome outcome() const;  // once over()
  // Sends every agent home; the report has been written.
  Orders farewell() const;

 private:
  struct Agent {
    std::vector<int> ranks;
    std::string host;
    std::optional<Heartbeat> heartbeat;  // of one across a connection
  };
  Orders of(const Actions& actions) const;
  Orders launch_all(TimePoint now);
  void end_early(const std::string& status, RankError error);
  Orders obey(int agent, const proto::ControlMessage& message, TimePoint now);
  std::optional<Orders> serve(int agent, const proto::ControlMessage& message);  // if it is about the store
  bool owns(int agent, int rank) const;
  Orders act_on(const HangNews& news, TimePoint now);
  Orders found(const Hang& hang, TimePoint now);
  Orders watch(TimePoint now);
  Orders look_for_cause(TimePoint now);
  Orders to_every_rank(const proto::Json& body) const;  // of the watch

  proto::Launch launch_;
  Limits limits_;
  Observer& observer_;
  Gathering gathering_;
  KeyStore store_;  // a new one for each attempt, as this is
  std::map<int, Agent> agents_;
  std::map<int, int> agent_of_rank_;
  std::optional<Supervisor> supervisor_;  // once launched
  std::unique_ptr<HangWatch> watch_;      // once launched
  std::unique_ptr<Hang> hang_;
  bool looked_ = false;           // for the cause of lost connections
  std::optional<Outcome> early_;  // ended before that
};

}  // namespace tradewind::launcher
