#include "launcher/process/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

// After those two, which it expects others to have included.
#include <boost/process/v2/process.hpp>

#include "common/errors.h"
#include "launcher/process/child_end.h"
#include "launcher/process/system_errors.h"
#include "proto/launcher_signals.h"

namespace tradewind::launcher {
namespace {

namespace process = boost::process::v2;
using boost::system::error_code;

constexpr int channel_target = channel_descriptor_of_child;
constexpr int telemetry_target = telemetry_descriptor_of_worker;

[[noreturn]] void fault(const std::string& what, int error) {
  throw EnvironmentFault(what + ": " + std::strerror(error), {}, remedy_for(error));
}

[[noreturn]] void cannot_start(const Spawn& what, int error) {
  const std::string& executable = what.executable;
  std::string remedy = remedy_for(error);
  if (error == ENOENT && ::access(executable.c_str(), F_OK) == 0)
    remedy = "it is there, but the loader that it names is not: build it on this host, or install its C library";
  else if (what.role != worker_role && error == ENOEXEC)
    remedy = "a script needs a first line that names its interpreter: #!/bin/sh";
  else if (what.role == worker_role && (error == ENOENT || error == ENOTDIR))
    remedy = "check that tradewind-worker is installed beside tradewind and is executable";
  else if (error == EACCES)
    remedy = "make it executable (chmod +x), also its folders for you, on a file system that is not mounted noexec";
  else if (error == ENOEXEC || error == ELIBBAD)
    remedy = "it is no program of this machine's kind: install Tradewind anew, or build it on this host";
  throw EnvironmentFault("cannot start the " + what.role + ": " + std::strerror(error), executable, remedy);
}

// Descriptors of a child are first parked above those that it is to have.
constexpr int above_targets = 64;

struct Pair {
  Descriptor ours, theirs;
};

Pair make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fault("cannot make a pipe for a worker", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Pair make_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    fault("cannot make a socket pair for a worker", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Nothing from `first` on survives exec. Boost.Process 1.81 leaves gaps between the descriptors it keeps open.
void close_on_exec_from(int first) {
#ifdef SYS_close_range
  constexpr unsigned on_exec = 4;  // CLOSE_RANGE_CLOEXEC
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, on_exec) == 0) return;
#endif
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; fd < static_cast<int>(limit.rlim_cur); ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// A set of CPUs as the kernel takes it, as long as the largest of them needs.
using CpuSet = std::vector<cpu_set_t>;
CpuSet set_of(const std::vector<int>& cpus) {
  CpuSet set;
  for (const int cpu : cpus) {
    const auto at = static_cast<std::size_t>(cpu);
    while (set.size() <= at / CPU_SETSIZE) CPU_ZERO(&set.emplace_back());
    CPU_SET(at % CPU_SETSIZE, &set[at / CPU_SETSIZE]);
  }
  return set;
}

// What happens in the child between fork and exec: only calls that are safe there.
class Child {
 public:
  Child(std::vector<std::pair<int, int>> moves, const char* const* environment, const CpuSet& cpus,
        bool ignores_signals_to_launcher, int death_signal)
      : moves_(std::move(moves)),
        environment_(environment),
        cpus_(cpus),
        ignores_signals_to_launcher_(ignores_signals_to_launcher),
        death_signal_(death_signal) {}

  error_code on_setup(process::posix::default_launcher& launcher, const process::filesystem::path&,
                      const char* const*) const {
    launcher.env = environment_;
    for (const auto& [source, target] : moves_) launcher.fd_whitelist.push_back(target);
    return {};
  }

  error_code on_exec_setup(process::posix::default_launcher&, const process::filesystem::path&,
                           const char* const*) const {
    ::prctl(PR_SET_PDEATHSIG, death_signal_);  // nothing outlives this launcher
    if (::getppid() != parent_) ::_exit(127);
    // Where Yama lets only ancestors look at a process: tools that take its stack are this launcher's children.
    ::prctl(PR_SET_PTRACER, parent_, 0, 0, 0);
    ::setsid();
    // CPUs that were taken away meanwhile are no reason to fail: it runs where this process does.
    if (!cpus_.empty()) ::sched_setaffinity(0, cpus_.size() * sizeof(cpu_set_t), cpus_.data());
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    if (ignores_signals_to_launcher_)
      for (const int number : proto::signals_to_launcher) ::signal(number, SIG_IGN);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // First away from the targets, so that no move overwrites the source of another. The pipe on which a failed exec is
    // told lies above them: more descriptors than targets were open when it was made.
    std::array<int, 6 + most_streams_of_worker> parked{};
    for (std::size_t i = 0; i < moves_.size(); ++i) {
      parked[i] = ::fcntl(moves_[i].first, F_DUPFD_CLOEXEC, above_targets);
      if (parked[i] < 0) return {errno, boost::system::system_category()};
    }
    for (std::size_t i = 0; i < moves_.size(); ++i)
      if (::dup2(parked[i], moves_[i].second) < 0) return {errno, boost::system::system_category()};
    for (std::size_t i = 1; i < moves_.size(); ++i)
      for (int gap = moves_[i - 1].second + 1; gap < moves_[i].second; ++gap) ::fcntl(gap, F_SETFD, FD_CLOEXEC);
    close_on_exec_from(moves_.back().second + 1);
    return {};
  }

  // Boost would leave by exit(), which flushes the parent's buffered output once more.
  void on_exec_error(process::posix::default_launcher&, const process::filesystem::path&, const char* const*,
                     const error_code&) const {
    ::_exit(127);
  }

 private:
  std::vector<std::pair<int, int>> moves_;  // descriptor here, descriptor in the worker; targets ascending
  const char* const* environment_;
  const CpuSet& cpus_;
  bool ignores_signals_to_launcher_;
  int death_signal_;
  pid_t parent_ = ::getpid();
};

}  // namespace

Spawned spawn(boost::asio::io_context& context, const Spawn& what) {
  require_descriptors();
  Pair channel = make_channel(), output = make_pipe(), error = make_pipe();
  const Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.valid()) fault("cannot open /dev/null", errno);
  std::vector<std::pair<int, int>> moves = {
      {null.get(), 0}, {output.theirs.get(), 1}, {error.theirs.get(), 2}, {channel.theirs.get(), channel_target}};
  if (what.telemetry >= 0) moves.emplace_back(what.telemetry, telemetry_target);
  for (std::size_t i = 0; i < what.streams.size(); ++i)
    moves.emplace_back(what.streams.at(i), first_stream_of_worker + static_cast<int>(i));

  std::vector<std::string> texts;
  texts.reserve(what.environment.size());
  for (const auto& [name, value] : what.environment) texts.emplace_back(name).append("=").append(value);
  std::vector<const char*> environment;
  environment.reserve(texts.size() + 1);
  for (const auto& text : texts) environment.push_back(text.c_str());
  environment.push_back(nullptr);

  const CpuSet cpus = set_of(what.cpus);
  error_code failure;
  process::posix::default_launcher launcher;
  auto child =
      launcher(context.get_executor(), failure, what.executable, what.arguments,
               Child(std::move(moves), environment.data(), cpus, what.ignores_signals_to_launcher, what.death_signal));
  if (failure) cannot_start(what, failure.value());
  Spawned spawned;
  spawned.pid = child.id();
  child.detach();  // reaping is the caller's: Boost's wait would block
  spawned.process = end_of_child(spawned.pid);
  if (!spawned.process.valid()) {
    const int code = errno;
    ::kill(-spawned.pid, SIGKILL);
    fault("cannot watch the worker", code);
  }
  spawned.channel = std::move(channel.ours);
  spawned.output = std::move(output.ours);
  spawned.error = std::move(error.ours);
  return spawned;
}

}  // namespace tradewind::launcher
