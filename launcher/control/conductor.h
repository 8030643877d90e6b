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
#include "launcher/control/key_store.h"
#include "launcher/control/orders.h"
#include "launcher/supervisor/audience.h"
#include "launcher/supervisor/supervisor.h"
#include "launcher/wire/heartbeat.h"

namespace tradewind::launcher {

struct Hang;
struct HangNews;
class HangWatch;

class Conductor {
 public:
  // `launch`: all but what the agents bring: hosts, and the master address unless given. `now`: see Gathering.
  Conductor(proto::Launch launch, std::vector<std::string> expected_hosts, const Limits& limits, Audience& audience,
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
  Audience& audience_;
  Gathering gathering_;
  KeyStore store_;  // a new one for each attempt, as this is
  std::map<int, Agent> agents_;
  std::map<int, int> agent_of_rank_;
  std::optional<Supervisor> supervisor_;  // once launched
  std::unique_ptr<HangWatch> watch_;      // once launched
  std::unique_ptr<Hang> hang_;
  bool looked_ = false;           // for the cause of lost connections
  bool explained_ = false;        // and told
  std::optional<Outcome> early_;  // ended before that
};

}  // namespace tradewind::launcher
