#include "launcher/process/child_end.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace tradewind::launcher {
namespace {

Descriptor pipe_until_end(pid_t pid) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  Descriptor ours(ends[0]), theirs(ends[1]);
  // Signals are for the thread that runs the loop.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([pid, end = std::move(theirs)] {
      siginfo_t info{};
      while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
      }
    }).detach();
  } catch (const std::system_error& error) {
    ours.reset();
    errno = error.code().value();
  }
  const int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return ours;
}

}  // namespace

Descriptor end_of_child(pid_t pid) {
  Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (process.valid() || errno != ENOSYS) return process;
  return pipe_until_end(pid);
}

}  // namespace tradewind::launcher
