// Tells waiting for late peers from moving data: a call cannot move on before its last rank has made it. Ranks note
// when they make each call; when these times are compared, what a rank stood still until the last one came was waiting.
// Calls are in the same order on every rank. Not thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "worker/dist/statistics.h"

namespace tradewind::dist {

class Waits {
 public:
  // Times of one clock that all ranks share, in seconds: the call was made, the rank began to stand still for it, and
  // stood still for so long.
  void add(const std::string& place, double made, double blocked, double seconds);
  std::size_t calls() const { return made_.size(); }
  const std::vector<double>& made() const { return made_; }
  // latest[i]: when the last rank made call i. Adds the waiting to the statistics and forgets the calls.
  void settle(std::span<const double> latest, Statistics& statistics);

 private:
  struct Call {
    std::string place;
    double blocked, seconds;
  };
  std::vector<double> made_;
  std::vector<Call> calls_;
};

}  // namespace tradewind::dist
