// What the kernel says of a process of ours, from /proc: needs no help of the process. What cannot be read stays empty.
// Thread-safe: reads files.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::launcher {

// State, debugger, bytes moved, CPU time. A few small reads, for every sample.
proto::ProcessFacts process_facts(pid_t pid);

// Every thread: its state, where it waits in the kernel, and the file of the call that it is held up in (`path`; of
// files, pipes and terminals only). For evidence.
std::vector<proto::ThreadFacts> thread_facts(pid_t pid);

// A thread in uninterruptible sleep in a call about a file, which no debugger can stop; 0 without one.
int held_thread(const proto::ProcessFacts& process);
// Where the kernel has that thread, in the form of a tool's stack; without frames where only root may know.
std::string kernel_stack(pid_t pid, int thread);

}  // namespace tradewind::launcher
