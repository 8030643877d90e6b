#include "launcher/process/system_errors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "common/errors.h"

namespace tradewind::launcher {

std::string remedy_for(int error, std::string otherwise) {
  switch (error) {
    case EMFILE:
      return "raise this session's limit on open files (descriptors): ulimit -n shows it; 64 and 8 for each rank of "
             "this "
             "host are needed at least";
    case ENFILE:
      return "this host has no more open files to give (sysctl fs.file-max): end what holds them";
    case EAGAIN:
      return "raise the limit on processes: ulimit -u, the control group's (pids.max) or the host's (sysctl "
             "kernel.pid_max), or start fewer ranks";
    case ENOMEM:
    case ENOBUFS:
      return "free some memory, or raise what limits it: ulimit -v, the control group's limit, vm.overcommit_memory";
    case ENOSYS:
      return "this kernel lacks the call: Linux 5.4 or later is needed";
    case EPERM:
      return "a rule of this container or host (seccomp, SELinux, AppArmor) forbids it: allow it there";
    default:
      return otherwise;
  }
}

void require_descriptors() {
  constexpr rlim_t wanted = 4096, least = 96;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  rlimit raised = limit;
  raised.rlim_cur = std::min(limit.rlim_max, wanted);
  if (raised.rlim_cur > limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  if (limit.rlim_cur >= least) return;
  throw EnvironmentFault("at most " + std::to_string(limit.rlim_cur) + " open files (descriptors) are allowed, and " +
                             std::to_string(least) + " are needed to start ranks",
                         "ulimit -n", "raise the limit: ulimit -n 1024");
}

std::filesystem::path own_program() {
  std::error_code error;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    throw EnvironmentFault("cannot tell where this program lies: " + error.message(), "/proc/self/exe",
                           "mount /proc here (in a container too)");
  return path;
}

}  // namespace tradewind::launcher
