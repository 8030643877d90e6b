// The hang watch of a whole run, at its controller: takes what the agents' watchmen (watchman.h) send, judges, and says
// what is to be done. Pure: messages and time go in. Not thread-safe.
//
// Bodies of `watch` messages (proto/PROTOCOL.md): a watchman sends {"sample": RankSample} every interval and once more
// when its worker has ended; {"sample": RankSample, "looked": true} when it was told {"look": true}, of programs both
// with "frames" and "flight", too; and {"evidence": RankSample, "stack": text, "record": text, "xids": [text], "ras":
// text, "frames": text, "flight": record} when it was told {"gather": seconds}; "ras" only of the rank that serves
// NCCL's RAS, the last two only of programs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/watch/hang_report.h"
#include "launcher/watch/watch.h"

namespace tradewind::launcher {

struct HangNews {
  bool looked = false;  // at new samples
  bool gather = false;  // tell every watchman to gather evidence
  std::optional<Hang> hang;
  bool withdrawn = false;  // what was told last is no longer so
  std::string warning;     // to the user, about a run that is left alone
};

// What is known of ranks that failed because of others.
struct Clues {
  std::optional<int> misled;  // the rank that got data of another size than it expected
  std::vector<int> done;      // those that have left by themselves, with exit code 0
};

class HangWatch {
 public:
  HangWatch(int ranks, WatchSettings settings, std::string dump_folder, TimePoint now);

  // ProtocolError for a body that is none.
  HangNews heard(int rank, const proto::Json& body, TimePoint now);
  // These ranks' agent is gone.
  void lost(const std::vector<int>& ranks);
  HangNews passed(TimePoint now);
  TimePoint deadline() const;  // call passed() then

  // Ranks lost their connections: their pages are asked for anew, and seen() once all of them have come; explain()
  // tells whether different calls are why.
  void look();
  bool seen() const;
  std::optional<Hang> explain(const Clues& clues = {}) const;
  // Where the Python of a rank was that a fatal signal ended, innermost first; empty when that is not known.
  std::vector<std::string> crash_frames(int rank) const;
  // The newest sample of every rank that has sent one.
  std::vector<proto::RankSample> samples() const;
  bool off() const { return settings_.mode == HangMode::off; }
  // How long evidence may take: of programs, tools read larger symbol tables, and answers come from Python.
  double gather_seconds() const { return settings_.programs ? 8 : 3.5; }

 private:
  struct Rank {
    std::optional<proto::RankSample> sample, evidence;
    bool fresh = false;  // came since the last time that all were judged
    bool seen = false;   // came since look()
    std::string stack, record, ras, frames;
    std::optional<FlightRecord> flight;
    std::vector<std::string> xids;
    void note_answers(const proto::Json& body);
  };
  bool complete() const;
  bool evidence_complete() const;
  HangNews conclude(TimePoint now);
  std::optional<Verdict> recorded(const Clues& clues) const;
  std::string still_file_text(int rank) const;
  Hang hang_of(const Verdict& verdict, std::vector<proto::RankSample> samples) const;

  WatchSettings settings_;
  std::string dump_folder_;
  std::unique_ptr<RunWatch> watch_;
  std::vector<Rank> ranks_;
  TimePoint next_look_;
  std::optional<TimePoint> gathering_until_;
};

}  // namespace tradewind::launcher
