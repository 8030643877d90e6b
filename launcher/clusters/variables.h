// Reads the variables that decide where ranks come from, and keeps what it read as evidence. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/env.h"
#include "launcher/clusters/cluster.h"

namespace tradewind::launcher {

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  // The value; nothing when the variable is not there or empty.
  std::optional<std::string> text(const std::string& name);
  // UserError naming the variable when it is no integer of at least `least`.
  std::optional<int> integer(const std::string& name, int least = 0);
  // The same, and UserError when it is not there; `who` sets it otherwise (`mpirun`).
  int needed(const std::string& name, const std::string& who, int least = 0);
  // What was read since the last call, each variable once.
  std::vector<Evidence> evidence();

 private:
  const Environment& environment_;
  std::vector<Evidence> read_;
};

// UserError unless 0 <= rank < world_size; `rank_name`: the variable that holds it.
void check_rank(int rank, int world_size, const std::string& rank_name);
// What is no letter, digit, `.`, `_` or `-` becomes `-`.
std::string file_name_of(const std::string& text);

}  // namespace tradewind::launcher
