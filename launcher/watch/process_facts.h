// What the kernel says of a process of ours, from /proc: needs no help of the process. What cannot be read stays empty.
// Thread-safe: reads files.
#pragma once

#include <sys/types.h>

#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

// State, debugger, bytes moved, CPU time. A few small reads, for every sample.
proto::ProcessFacts process_facts(pid_t pid);

// Every thread: its state, where it waits in the kernel, and the file of the call that it is held up in (`path`; of
// files, pipes and terminals only). For evidence.
std::vector<proto::ThreadFacts> thread_facts(pid_t pid);

}  // namespace tradewind::launcher
