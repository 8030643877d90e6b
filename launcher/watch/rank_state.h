// What a sample says of its rank's process. Pure.
#pragma once

#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

inline bool alive(const proto::RankSample& sample) { return !sample.exited && !sample.lost; }
inline bool is_stopped(const proto::RankSample& sample) {
  return sample.process.state == 'T' && sample.process.tracer == 0;
}
// Under a debugger, or all stopped together: by whoever runs them. One rank alone that is stopped is as much a stopped
// job as a culprit: nobody waits for it.
bool held_by_user(const std::vector<proto::RankSample>& samples);

}  // namespace tradewind::launcher
