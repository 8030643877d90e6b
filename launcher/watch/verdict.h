// Which rank holds a run up, from one sample of every rank: the strongest evidence first. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

enum class Finding {
  unreachable,   // a rank's host does not answer
  stopped,       // a process is stopped
  blocked_io,    // a rank waits for a file
  outlier,       // a rank made another call than the others
  disagreement,  // ranks made different calls, and none of them can be told to be the wrong one
  missing,       // a rank did not come to the call in which others wait
  device,        // all came, a device is behind
  network,       // all came and wait
  stuck          // nobody waits for anybody, nobody moves
};
const char* name_of(Finding finding);

enum class Certainty { certain, likely, unknown };
const char* name_of(Certainty certainty);

struct Verdict {
  Finding finding = Finding::stuck;
  Certainty certainty = Certainty::unknown;
  std::string what;           // in one sentence
  std::vector<int> culprits;  // ranks; empty when nobody can be named
  std::vector<int> waiting;   // ranks that wait for them
  std::vector<std::string> evidence;
};

// samples: the newest of each rank, with the facts about threads where they could be had.
Verdict judge(const std::vector<proto::RankSample>& samples);
// What a lost connection may hide: ranks that made different calls. Nothing when they did not.
std::optional<Verdict> mismatch(const std::vector<proto::RankSample>& samples);
// The file that a rank waits for: of those that the worker has open, else one that a thread is held up in.
std::string blocked_file(const proto::RankSample& sample);

}  // namespace tradewind::launcher
