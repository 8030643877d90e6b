// The processes of a session: a worker and whatever it has started.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "launcher/process/exit.h"

namespace tradewind::launcher {

// Living processes of the session, its leader first when it lives. The session's id cannot name anything else as long
// as its leader has not been waited for.
std::vector<pid_t> processes_of_session(pid_t session);
void signal_session(pid_t session, int signal);
// How that child ended, and the end of its zombie; nothing while it runs.
std::optional<Exit> reap(pid_t child);

}  // namespace tradewind::launcher
