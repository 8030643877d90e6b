// What becomes of a run, and of each of its ranks. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/messages.h"

namespace tradewind::launcher {

struct RankError {
  int rank = -1;  // -1: of no rank
  proto::FailureKind kind = proto::FailureKind::internal;
  std::string what, where, remedy;
  int exit_code = 1;
  std::string phase;
  std::vector<std::string> last_lines;  // of its standard error
  std::vector<std::string> python;      // the frames that they tell, innermost first
  bool silent = false;                  // it could not say itself what was wrong
  int signal = 0;                       // that ended it, unless the kernel ended it for memory
  bool host_lost = false;               // its launcher is gone, or cannot be reached
  bool perhaps_knock_on = false;        // another rank's different call can end in this
};

struct RankResult {
  std::string host;
  int pid = 0;
  std::string device;
  std::int64_t peak_rss_bytes = 0, peak_device_bytes = 0;
  proto::Json figures = proto::Json::object();  // what it did, as it says itself
};

struct Outcome {
  std::string status;  // done, failed, stopped
  int exit_code = 0;
  int steps = 0;
  proto::Timings seconds;           // of rank 0
  std::optional<RankError> error;   // of the rank that failed first in cause
  std::vector<RankError> knock_on;  // what other ranks made of it, by rank
  proto::Json hang;                 // what the watch found (proto/hang.schema.json), null when nothing
  std::vector<RankResult> ranks;
  std::vector<int> left_behind;  // ranks whose processes did not end even by SIGKILL
};

}  // namespace tradewind::launcher
