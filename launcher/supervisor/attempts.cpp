#include "launcher/supervisor/attempts.h"

namespace tradewind::launcher {

bool worth_restart(const Outcome& outcome) {
  if (outcome.status != "failed" || !outcome.error || !outcome.left_behind.empty()) return false;
  return outcome.error->signal != 0 || outcome.error->host_lost;
}

bool Attempts::again(const Outcome& outcome, double seconds) {
  if (left_ == 0 || !worth_restart(outcome)) return false;
  --left_;
  const RankError& error = *outcome.error;
  ended_.push_back({{"what", error.what},
                    {"rank", error.rank < 0 ? proto::Json(nullptr) : proto::Json(error.rank)},
                    {"exit_code", error.exit_code},
                    {"steps", outcome.steps},
                    {"seconds", seconds}});
  return true;
}

}  // namespace tradewind::launcher
