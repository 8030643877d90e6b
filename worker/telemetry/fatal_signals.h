// A last word before a fatal signal ends the process: its name and the stack, on standard error, where the launcher
// keeps the last lines. The signal then takes its usual course, so that the exit status tells it.
#pragma once

namespace tradewind::telemetry {

// For SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT. Once, from the main thread. Whatever happens in the handler, the
// process is gone 2 s later.
void speak_at_fatal_signals();
// The launcher acts on them (proto/launcher_signals.h). Launchers start a worker so already; whoever else may not.
void ignore_signals_to_launcher();
// Lets the parent and its children look at this process's stacks where Yama allows only ancestors.
void let_parent_trace();

}  // namespace tradewind::telemetry
