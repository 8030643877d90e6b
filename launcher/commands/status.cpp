#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <thread>

#include "common/errors.h"
#include "common/printable.h"
#include "launcher/commands/commands.h"
#include "launcher/watch/status.h"
#include "launcher/watch/status_file.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "status.json";

// The newest of the folders in `parent` that hold a status and whose name will do.
fs::path newest(const fs::path& parent, const std::function<bool(const std::string& name)>& will_do) {
  fs::path found;
  fs::file_time_type when{};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    if (!will_do(entry.path().filename().string())) continue;
    std::error_code none;
    const auto changed = fs::last_write_time(entry.path() / file_name, none);
    if (none || (!found.empty() && changed <= when)) continue;
    found = entry.path();
    when = changed;
  }
  return found == "." / found.filename() ? found.filename() : found;
}

// Whether a run folder has that name because of that job: tradewind-run-[CLUSTER-]JOB[.STEP][-TIME].
bool is_of_job(const std::string& name, const std::string& job) {
  if (!name.starts_with("tradewind-run-")) return false;
  for (std::size_t at = name.find("-" + job); at != std::string::npos; at = name.find("-" + job, at + 1)) {
    const std::size_t end = at + 1 + job.size();
    if (end == name.size() || name[end] == '.' || name[end] == '-') return true;
  }
  return false;
}

// `which`: nothing, a run folder, where run folders lie, a configuration beside which they lie, or a job.
fs::path folder_of(const std::string& which) {
  std::error_code error;
  if (!which.empty() && fs::exists(fs::path(which) / file_name, error)) return which;
  fs::path parent = ".";
  if (fs::is_directory(which, error))
    parent = which;
  else if (fs::is_regular_file(which, error) && fs::path(which).has_parent_path())
    parent = fs::path(which).parent_path();
  const bool is_path = which.empty() || fs::exists(which, error);
  fs::path found = newest(parent, [&](const std::string& name) { return is_path || is_of_job(name, which); });
  if (found.empty())
    throw UserError(
        is_path ? "no run of Tradewind is here" : "no such run folder, and no run of that job is here",
        which.empty() ? "." : which,
        "give the run folder (that of --run-dir, else tradewind-run-<job or time> beside the configuration), "
        "or the configuration");
  return found;
}

// How old the file is, in seconds: a launcher that was killed leaves one behind.
double age_of(const fs::path& folder) {
  std::error_code error;
  const auto changed = fs::last_write_time(folder / file_name, error);
  return error ? 0 : std::chrono::duration<double>(fs::file_time_type::clock::now() - changed).count();
}

bool goes_on(const nlohmann::ordered_json& status) {
  const std::string state = status.value("state", "");
  return state == "running" || state == "hangs";
}

// Known of this host only.
bool launcher_gone(const nlohmann::ordered_json& status) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto launcher = status.value("launcher", nlohmann::ordered_json::object());
  const int pid = launcher.value("pid", 0);
  return pid > 0 && launcher.value("host", "") == host.data() && ::kill(pid, 0) != 0 && errno == ESRCH;
}

// What the file says, and what it cannot: that its writer, which writes every two seconds, was killed.
nlohmann::ordered_json status_of(const fs::path& folder) {
  constexpr double old = 5;
  auto [status, odd] = read_status(folder / file_name);
  for (const std::string& key : odd)
    std::cerr << printable_line("warning: " + (folder / file_name).string() + ": " + key + ": left out") << std::endl;
  if (goes_on(status) && age_of(folder) > old && launcher_gone(status)) status["state"] = "killed";
  return status;
}

void show(const fs::path& folder, const nlohmann::ordered_json& status) {
  std::cout << printable_line(folder.string()) << "  " << status_table(status);
  constexpr double late = 15;
  if (status.value("state", "") == "killed")
    std::cout << "its launcher, process " << status["launcher"].value("pid", 0)
              << " of this host, is gone without having ended the run: so are its ranks\n";
  else if (goes_on(status) && age_of(folder) > late)
    std::cout << "no news for " << static_cast<int>(age_of(folder)) << " s: its launcher may be gone\n";
  std::cout << std::flush;
}

}  // namespace

int status(const StatusCommand& command) {
  const fs::path folder = folder_of(command.run);
  auto now = status_of(folder);
  if (command.json) {
    std::cout << now.dump(2, ' ', true) << '\n';
    return 0;
  }
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  while (terminal && goes_on(now) && std::cout) {
    std::cout << "\033[H\033[2J";
    show(folder, now);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    now = status_of(folder);
  }
  show(folder, now);
  return 0;
}

}  // namespace tradewind::launcher
