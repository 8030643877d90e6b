#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "common/errors.h"
#include "launcher/commands/commands.h"
#include "launcher/watch/status.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "status.json";

// The newest of those folders that hold a status.
fs::path newest(const fs::path& beside, const std::string& prefix) {
  fs::path found;
  fs::file_time_type when{};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(beside, error)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const auto changed = fs::last_write_time(entry.path() / file_name, error);
    if (error || (!found.empty() && changed <= when)) continue;
    found = entry.path();
    when = changed;
  }
  return found;
}

fs::path folder_of(const std::string& which) {
  if (!which.empty() && fs::exists(fs::path(which) / file_name)) return which;
  const std::string prefix = "tradewind-run-" + which;
  fs::path found = newest(".", prefix);
  if (found.empty())
    throw UserError(which.empty() ? "no run folder with a status is here" : "no run of that name has a status here",
                    which.empty() ? "." : which,
                    "give the run folder, or go where it lies (tradewind-run-<job or time> beside the config)");
  return found;
}

nlohmann::ordered_json read_status(const fs::path& folder) {
  std::ifstream file(folder / file_name);
  auto status = nlohmann::ordered_json::parse(file, nullptr, false);
  if (!status.is_object())
    throw EnvironmentFault("the status cannot be read", (folder / file_name).string(), "try again in a moment");
  return status;
}

// How old the file is, in seconds: a launcher that was killed leaves one behind.
double age_of(const fs::path& folder) {
  std::error_code error;
  const auto changed = fs::last_write_time(folder / file_name, error);
  return error ? 0 : std::chrono::duration<double>(fs::file_time_type::clock::now() - changed).count();
}

void show(const fs::path& folder, const nlohmann::ordered_json& status) {
  std::cout << folder.string() << "  " << status_table(status);
  constexpr double late = 15;
  if (status.value("state", "") == "running" && age_of(folder) > late)
    std::cout << "no news for " << static_cast<int>(age_of(folder)) << " s: its launcher may be gone\n";
  std::cout << std::flush;
}

}  // namespace

int status(const StatusCommand& command) {
  const fs::path folder = folder_of(command.run);
  auto now = read_status(folder);
  if (command.json) {
    std::cout << now.dump(2) << '\n';
    return 0;
  }
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  while (terminal && (now.value("state", "") == "running" || now.value("state", "") == "hangs")) {
    std::cout << "\033[H\033[2J";
    show(folder, now);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    now = read_status(folder);
  }
  show(folder, now);
  return 0;
}

}  // namespace tradewind::launcher
