#include "launcher/watch/rank_state.h"

namespace tradewind::launcher {

bool held_by_user(const std::vector<proto::RankSample>& samples) {
  bool any = false, all_stopped = true;
  for (const proto::RankSample& sample : samples) {
    if (!alive(sample)) continue;
    if (sample.process.tracer != 0) return true;
    any = true;
    all_stopped = all_stopped && is_stopped(sample);
  }
  return any && all_stopped;
}

}  // namespace tradewind::launcher
