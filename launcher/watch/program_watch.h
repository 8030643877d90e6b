// Notices that a program of ranks does not get on, of which nothing is known but what the kernel tells. Pure. Not
// thread-safe.
//
// A sign of life that counts for the whole run: bytes read or written (4 KiB in a second), pages from storage, a
// process that comes or goes, a line to TRADEWIND_PHASE_FD. A rank that only uses processor time (2 % of a CPU, or
// three waits a second of its main threads) is busy: it may compute, or spin in a collective, which only its stack
// tells.
//
// Evidence is gathered when no rank has been busy for `idle` seconds; when ranks are busy and nothing else has happened
// for as long, and then again and again at growing intervals; and when one is stopped. Ranks that use processor time in
// a collective, or while they wait for a device, are not taken for busy from then on; that they do not get on is
// believed only when their flight recorders hold the same as at the look before. A busy rank that keeps all others
// waiting is told only after `computing` seconds, since a long step looks the same; so is a run of which no rank is
// seen to wait for another. Time under a debugger, with all ranks stopped, or without the watch itself does not count.
#pragma once

#include <vector>

#include "launcher/watch/program_verdict.h"
#include "launcher/watch/run_watch.h"
#include "launcher/watch/settings.h"

namespace tradewind::launcher {

class ProgramWatch : public RunWatch {
 public:
  ProgramWatch(int ranks, WatchSettings settings, TimePoint now);

  std::optional<WatchAction> sampled(const std::vector<proto::RankSample>& samples, TimePoint now) override;
  std::optional<WatchAction> testified(const std::vector<Testimony>& testimonies, TimePoint now) override;

  const Verdict& verdict() const override { return verdict_; }
  double seconds_to_suspect() const override { return seconds_to_suspect_; }
  double seconds_to_verdict() const override { return seconds_to_verdict_; }
  double file_seconds(int) const override { return 0; }

 private:
  enum class State { watching, gathering, told };
  struct Rank {
    std::optional<proto::RankSample> last;
    double quiet = 0;    // seconds for which it was not busy
    double stopped = 0;  // seconds
    bool spins = false;  // its processor time goes into a collective
    bool busy = false;   // in the newest sample
    std::string record;  // what its flight recorder held at the last look
  };
  struct Signs {
    bool life = false;  // of the whole run
    bool busy_again = false;
  };
  Signs note(const std::vector<proto::RankSample>& samples, double elapsed);
  bool note_rank(const proto::RankSample& sample, Rank& rank, double elapsed);
  void wake();  // something has happened
  double idle() const { return settings_.hang_after.value_or(settings_.idle); }
  double computing() const { return settings_.hang_after.value_or(settings_.computing); }
  double least_quiet() const;  // of all ranks
  bool due() const;
  ProgramView view_of(const Testimony& testimony);
  bool waited_for(const std::vector<ProgramView>& views) const;
  std::optional<WatchAction> put_off();

  WatchSettings settings_;
  std::vector<Rank> ranks_;
  TimePoint last_sample_, last_life_;
  State state_ = State::watching;
  double still_ = 0;        // seconds without a sign of life of the whole run
  double next_look_;        // of still_: when evidence is gathered although ranks are busy
  double next_quiet_look_;  // of the time for which no rank was busy
  double blind_ = 0;        // seconds in which answers to our own questions look like life
  double seconds_to_suspect_ = 0, seconds_to_verdict_ = 0;
  Verdict verdict_;
};

}  // namespace tradewind::launcher
