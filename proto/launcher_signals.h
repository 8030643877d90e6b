// Signals that a terminal or a scheduler sends to every process of a job, but that only the launcher acts on
// (docs/launch.md, "How a run ends"). Workers are started with them ignored: one that took them would end the run.
// SIGTERM is not among them: it is how a launcher ends a worker.
#pragma once

#include <array>
#include <csignal>

namespace tradewind::proto {

inline constexpr std::array signals_to_launcher = {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};

}  // namespace tradewind::proto
