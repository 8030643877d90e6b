#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

#include "common/file_text.h"
#include "launcher/clusters/cluster.h"
#include "launcher/clusters/devices.h"

namespace tradewind::launcher {
namespace {

pid_t parent_of(const std::string& pid) {
  const std::string text = file_text("/proc/" + pid + "/stat");
  const auto end = text.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream fields(text.substr(end + 1));
  char state = 0;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

std::vector<std::string> command_lines_of_ancestors() {
  constexpr int deepest = 64;
  std::vector<std::string> commands;
  pid_t pid = ::getppid();
  for (int depth = 0; pid > 0 && depth < deepest; ++depth) {
    std::string command = file_text("/proc/" + std::to_string(pid) + "/cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    commands.push_back(std::move(command));
    pid = parent_of(std::to_string(pid));
  }
  return commands;
}

bool on_path(const std::string& program, const std::string& path) {
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto file = std::filesystem::path(folder.empty() ? "." : folder) / program;
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

Probes probes_of_process(const Environment& environment) {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  Probes probes;
  probes.host = name.data();
  probes.gpus = [devices = environment.get("CUDA_VISIBLE_DEVICES")] { return visible_gpus(gpus_of_host(), devices); };
  probes.program = [path = environment.get_or("PATH", "/usr/bin:/bin")](const std::string& program) {
    return on_path(program, path);
  };
  probes.ancestors = command_lines_of_ancestors();
  return probes;
}

}  // namespace tradewind::launcher
