// What notices that a run does not get on, whatever its ranks are: of our own workers watch.h, of programs that tell
// nothing of themselves program_watch.h. Pure: samples go in, what is to be done comes out. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "launcher/flight/record.h"
#include "launcher/watch/verdict.h"
#include "proto/rank_sample.h"

namespace tradewind::launcher {

struct WatchAction {
  enum class Kind {
    gather,    // collect evidence of all ranks, then call gathered()
    conclude,  // verdict() is final: stop the run, or only tell
    withdraw,  // the run moves again after its verdict was told
    file       // the run moves, but not the file of `rank`, for longer than files may take: only tell
  } kind;
  int rank = -1;
};

// What is known of one rank when evidence has been gathered.
struct Testimony {
  proto::RankSample sample;
  std::string stack;                   // of its threads, as a tool wrote it
  std::string frames;                  // of its Python threads, as faulthandler wrote them
  std::optional<FlightRecord> flight;  // what the recorder of its collectives holds
};

class RunWatch {
 public:
  virtual ~RunWatch() = default;
  // One sample of every rank.
  virtual std::optional<WatchAction> sampled(const std::vector<proto::RankSample>& samples, TimePoint now) = 0;
  // After `gather`.
  virtual std::optional<WatchAction> testified(const std::vector<Testimony>& testimonies, TimePoint now) = 0;
  // After `conclude`.
  virtual const Verdict& verdict() const = 0;
  // Since the last advance.
  virtual double seconds_to_suspect() const = 0;
  virtual double seconds_to_verdict() const = 0;
  // For how long this rank's open file has stood still.
  virtual double file_seconds(int rank) const = 0;
};

}  // namespace tradewind::launcher
