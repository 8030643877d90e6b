// How long the steps of a forecast took, without what went to its output. Plain values.
#pragma once

#include <cstddef>
#include <vector>

namespace tradewind::forecast {

class StepTimes {
 public:
  // whole: seconds of a step; output: of these, what the output held it up for.
  void add(double whole, double output) { seconds_.push_back(whole - output); }
  bool empty() const { return seconds_.empty(); }
  int count() const { return static_cast<int>(seconds_.size()); }
  double sum() const;
  double first() const;  // 0 when there is none
  // Of all but the first, which has more to do; of the first when it is the only one.
  double median() const;

 private:
  std::vector<double> seconds_;
};

}  // namespace tradewind::forecast
