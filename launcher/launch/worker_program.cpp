#include "launcher/launch/worker_program.h"

#include <filesystem>

#include "common/errors.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {

std::string worker_path(const Environment& environment, const std::string& name) {
  namespace fs = std::filesystem;
  if (const auto reason = environment.get("TRADEWIND_NO_WORKER")) {
    const std::size_t end = reason->find('\n');  // what is amiss, and in a second line the way out
    throw EnvironmentFault("there is no worker to start: " + reason->substr(0, end), name,
                           end == std::string::npos ? "install tradewind anew" : reason->substr(end + 1));
  }
  const auto folder = environment.get("TRADEWIND_WORKER_FOLDER");
  return ((folder ? fs::absolute(*folder) : own_program().parent_path()) / name).string();
}

void add_libraries(std::map<std::string, std::string>& variables) {
  const auto folders = variables.find("TRADEWIND_LIBRARY_PATH");
  if (folders == variables.end() || folders->second.empty()) return;
  std::string& path = variables["LD_LIBRARY_PATH"];
  // An empty element would mean the current folder.
  path = path.empty() ? folders->second : folders->second + ":" + path;
}

}  // namespace tradewind::launcher
