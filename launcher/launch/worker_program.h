// The workers' executables and the libraries that they load, beside this program or where a package has them.
// Thread-safe.
#pragma once

#include <map>
#include <string>

#include "common/env.h"

namespace tradewind::launcher {

// Path of the worker called `name`: in TRADEWIND_WORKER_FOLDER, else beside this executable; not whether it is there.
// EnvironmentFault with what TRADEWIND_NO_WORKER tells, where a package has none that fits.
std::string worker_path(const Environment& environment, const std::string& name);

// Puts the folders of TRADEWIND_LIBRARY_PATH before LD_LIBRARY_PATH: of a worker's environment, not of other programs.
void add_libraries(std::map<std::string, std::string>& variables);

}  // namespace tradewind::launcher
