#include "launcher/process/session.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>

#include "common/file_text.h"

namespace tradewind::launcher {
namespace {

// Session of a living process; -1 for zombies and strangers. Fields of /proc/PID/stat after the name in parentheses,
// which may itself hold anything: state, ppid, pgrp, session.
pid_t session_of(const std::string& pid) {
  const std::string text = file_text("/proc/" + pid + "/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return -1;
  std::istringstream fields(text.substr(end + 1));
  char state = 0;
  pid_t parent = 0, group = 0, session = -1;
  fields >> state >> parent >> group >> session;
  return state == 'Z' || state == 'X' ? -1 : session;
}

}  // namespace

std::vector<pid_t> processes_of_session(pid_t session) {
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    pid_t pid = 0;
    const std::string name = entry->d_name;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size() && session_of(name) == session) found.push_back(pid);
  }
  std::stable_partition(found.begin(), found.end(), [session](pid_t pid) { return pid == session; });
  return found;
}

void signal_session(pid_t session, int signal) {
  // The leader's process group in one call, then those who left the group but not the session.
  ::kill(-session, signal);
  for (const pid_t pid : processes_of_session(session))
    if (::getpgid(pid) != session) ::kill(pid, signal);
}

std::optional<Exit> reap(pid_t child) {
  siginfo_t info{};
  rusage usage{};
  if (::syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOHANG, &usage) != 0 || info.si_pid == 0)
    return std::nullopt;
  Exit ended;
  if (info.si_code == CLD_EXITED)
    ended.code = info.si_status;
  else
    ended.signal = info.si_status;
  ended.peak_rss_bytes = usage.ru_maxrss * std::int64_t{1024};
  return ended;
}

}  // namespace tradewind::launcher
