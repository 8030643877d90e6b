// Exit codes of both executables. An agent leaves with the run's code, never with its own worker's.
#pragma once

namespace tradewind {

enum class ExitCode : int {
  done = 0,
  failure = 1,         // any failure without a code of its own
  bad_input = 2,       // bad command line, configuration or input data, found by any rank
  ranks_missing = 75,  // not all ranks came
  hang = 110,
  out_of_memory = 253,  // proven by the cgroup's count
  signal_base = 128     // 128 + n: the culprit was ended by signal n
};

}  // namespace tradewind
