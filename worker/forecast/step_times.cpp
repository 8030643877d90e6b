#include "worker/forecast/step_times.h"

#include <algorithm>
#include <numeric>

namespace tradewind::forecast {

double StepTimes::sum() const { return std::accumulate(seconds_.begin(), seconds_.end(), 0.0); }

double StepTimes::first() const { return seconds_.empty() ? 0 : seconds_.front(); }

double StepTimes::median() const {
  if (seconds_.size() < 2) return first();
  std::vector<double> later(seconds_.begin() + 1, seconds_.end());
  const auto middle = later.begin() + static_cast<std::ptrdiff_t>(later.size() / 2);
  std::nth_element(later.begin(), middle, later.end());
  return *middle;
}

}  // namespace tradewind::forecast
