// Shared libraries of this installation that are loaded when they are needed. Thread-safe.
#pragma once

#include <string>

namespace tradewind {

// Where one is: beside this executable or in the lib folder of its installation, as an absolute path; empty when in
// neither.
std::string own_library_path(const std::string& name);

}  // namespace tradewind
