#include "worker/dist/waits.h"

#include <algorithm>

namespace tradewind::dist {

void Waits::add(const std::string& place, double made, double blocked, double seconds) {
  made_.push_back(made);
  calls_.push_back({place, blocked, seconds});
}

void Waits::settle(std::span<const double> latest, Statistics& statistics) {
  for (std::size_t i = 0; i < std::min(latest.size(), calls_.size()); ++i) {
    const Call& call = calls_[i];
    statistics.add(call.place, {.waiting = std::clamp(latest[i] - call.blocked, 0.0, call.seconds)});
  }
  made_.clear();
  calls_.clear();
}

}  // namespace tradewind::dist
