#include "launcher/process/session_guard.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <set>

#include "common/errors.h"
#include "launcher/process/session.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr const char* home = "done";

[[noreturn]] void fault(int error) {
  throw EnvironmentFault(std::string("cannot start the guard of the program's sessions: ") + std::strerror(error), {},
                         remedy_for(error));
}

}  // namespace

SessionGuard::SessionGuard() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fault(errno);
  const Descriptor theirs(ends[0]);
  pipe_ = Descriptor(ends[1]);
  std::string self = own_program().string(), option = guard_option;
  std::array<char*, 3> arguments = {self.data(), option.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, theirs.get(), 0);
  for (const int number : {1, 2}) ::posix_spawn_file_actions_addopen(&files, number, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // out of reach of the terminal's signals
  const int error = ::posix_spawn(&pid_, self.c_str(), &files, &attributes, arguments.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) fault(error);
}

SessionGuard::~SessionGuard() {
  tell(home);
  pipe_.reset();
  ::waitpid(pid_, nullptr, 0);
}

void SessionGuard::tell(const std::string& line) const {
  const std::string text = line + "\n";  // shorter than what a pipe takes in one piece
  while (::write(pipe_.get(), text.data(), text.size()) < 0 && errno == EINTR) {
  }
}

int guard_sessions() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_IGN);
  std::set<pid_t> sessions;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == home) return 0;
    const pid_t session = line.size() > 1 ? std::atoi(line.c_str() + 1) : 0;
    if (session <= 1) continue;
    if (line.front() == '+') sessions.insert(session);
    if (line.front() == '-') sessions.erase(session);
  }
  for (const pid_t session : sessions) signal_session(session, SIGKILL);
  return 0;
}

}  // namespace tradewind::launcher
