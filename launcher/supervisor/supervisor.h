// Decides what becomes of a run from what its workers say and do: who failed first in cause, when to stop the others,
// with which exit code to leave. Pure: events in, actions out, time is an argument; the shells around it own
// processes, sockets and the clock. Not thread-safe.
//
// The shell promises per rank: every message and line before its exit, and exited() once.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/process/exit.h"
#include "launcher/supervisor/outcome.h"
#include "launcher/supervisor/stop_sequence.h"
#include "launcher/watch/python_frames.h"
#include "launcher/watch/settings.h"
#include "launcher/wire/heartbeat.h"
#include "proto/control.h"

namespace tradewind::launcher {

struct Limits {
  Clock::duration hello = std::chrono::seconds(30);        // from the start until every rank has said hello
  Clock::duration better_cause = std::chrono::seconds(1);  // how long a lost connection waits for its cause
  Patience patience;                                       // with other launchers
  std::string child = "worker";                            // what a rank's process is called
  WatchSettings watch;
};

// What the rank's agent is to do.
using Action = proto::Act;
using Actions = std::vector<Action>;

class Supervisor {
 public:
  Supervisor(int ranks, Limits limits, TimePoint now);

  Actions said(int rank, const proto::Message& message, TimePoint now);
  Actions broke_protocol(int rank, const std::string& how, TimePoint now);
  void wrote_error_line(int rank, const std::string& line);
  Actions exited(int rank, const Exit& exit, TimePoint now);
  // Nothing more will be heard of these ranks: their agent is gone, or could not start them. The error is the first's.
  Actions gone(const std::vector<int>& ranks, RankError error, TimePoint now);
  // Something beyond the ranks says that the run has failed: stop it, unless it is being stopped already.
  Actions fail(RankError error, TimePoint now);
  // SIGINT, SIGTERM or SIGHUP to the launcher process called `source`: one Ctrl-C may reach several of them.
  Actions signalled(int number, int source, TimePoint now);
  Actions passed(TimePoint now);  // time went by

  // Ranks have lost connections, and the cause has not shown yet.
  bool waits_for_cause() const { return cause_deadline_.has_value(); }
  bool stopping() const { return stopping_.has_value(); }
  // The rank whose failure is the cause so far, if it got what it did not expect.
  std::optional<int> misled() const;
  std::vector<int> done() const;  // ranks that have left as they should

  std::optional<TimePoint> deadline() const;  // call passed() then
  bool over() const { return over_; }
  Outcome outcome() const;  // once over()

 private:
  struct Rank {
    bool said_hello = false, exited = false;
    std::string phase = "start";
    std::deque<std::string> last_lines;
    Traceback traceback;
    std::optional<proto::Finished> finished;
    std::optional<RankError> error;
    RankResult result;
  };
  Actions failed(int rank, RankError error, TimePoint now);
  Actions stop(StopSequence sequence, TimePoint now);
  Actions everywhere(Action::Kind kind) const;
  RankError with_lines(RankError error) const;
  void settle();
  int living() const;

  Limits limits_;
  std::vector<Rank> ranks_;
  std::optional<TimePoint> hello_deadline_, cause_deadline_;
  std::optional<StopSequence> stopping_;
  std::optional<RankError> error_;
  int signal_ = 0;             // that the user sent
  std::set<int> interrupted_;  // sources of SIGINT
  int steps_ = 0;
  bool over_ = false;
};

}  // namespace tradewind::launcher
