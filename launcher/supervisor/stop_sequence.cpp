#include "launcher/supervisor/stop_sequence.h"

namespace tradewind::launcher {

using std::chrono::seconds;

StopSequence StopSequence::orderly(TimePoint now) {
  return {{{StopMeans::ask, seconds(3)},
           {StopMeans::terminate, seconds(2)},
           {StopMeans::kill, seconds(5)},
           {StopMeans::abandon, seconds(0)}},
          now};
}

StopSequence StopSequence::prompt(TimePoint now) {
  return {{{StopMeans::terminate, seconds(2)}, {StopMeans::kill, seconds(5)}, {StopMeans::abandon, seconds(0)}}, now};
}

std::vector<StopMeans> StopSequence::advance(TimePoint now) {
  std::vector<StopMeans> due;
  while (next_ < items_.size() && now >= due_) {
    due.push_back(items_[next_].means);
    due_ = now + items_[next_].grace;
    ++next_;
  }
  return due;
}

void StopSequence::hasten(TimePoint now) {
  for (std::size_t i = next_; i < items_.size(); ++i)
    if (items_[i].means == StopMeans::kill) {
      next_ = i;
      due_ = now;
      return;
    }
}

std::optional<TimePoint> StopSequence::deadline() const {
  if (next_ == items_.size()) return std::nullopt;
  return due_;
}

}  // namespace tradewind::launcher
