// Errors of the system told by their own name, each with its own way out. Thread-safe.
#pragma once

#include <filesystem>
#include <string>

namespace tradewind::launcher {

// The way out for an errno that speaks of a limit, of memory or of a right; `otherwise` for any other.
std::string remedy_for(int error, std::string otherwise = "look at the limits of this session: ulimit -a");

// Raises the limit on open files to what launcher and workers need, as far as this user may. EnvironmentFault when it
// stays below.
void require_descriptors();

// The path of this program. EnvironmentFault when there is no /proc to ask.
std::filesystem::path own_program();

}  // namespace tradewind::launcher
