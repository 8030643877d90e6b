// The end of a child as something that can be waited for. Thread-safe.
#pragma once

#include <sys/types.h>

#include "common/files/descriptor.h"

namespace tradewind::launcher {

// A descriptor that is readable once the child `pid`, which nobody reaps before, has ended; not valid, with errno set,
// when there can be none. A pid descriptor where the kernel has them (Linux 5.3), else the end of a pipe that a thread
// closes.
Descriptor end_of_child(pid_t pid);

}  // namespace tradewind::launcher
