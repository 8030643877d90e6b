// What the kernel says of a rank that is a program: of all processes of its session together, and of the one that is
// the program itself. Thread-safe: reads files.
#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

// The living processes of those sessions.
std::map<pid_t, std::vector<pid_t>> processes_of_sessions(const std::set<pid_t>& sessions);

// The sum of them; a process that has ended meanwhile counts nothing.
proto::ProgramFacts program_facts(const std::vector<pid_t>& processes);

// The one with most memory: a wrapper has little, and the helpers of a program have less than itself. `leader` when
// none can be read.
pid_t main_process(pid_t leader, const std::vector<pid_t>& processes);

}  // namespace tradewind::launcher
