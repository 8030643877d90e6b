// A worker that misbehaves in one way, named by the environment variable FAKE_WORKER (all ranks) or FAKE_WORKER_<rank>
// (known after `start`). Speaks the real protocol up to the point of its misbehaviour.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "worker/channel/channel.h"

namespace {

using namespace tradewind;

constexpr int descriptor = 3;

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

[[noreturn]] void wait_for_ever() {
  while (true) ::pause();
}

int finish(channel::Channel& launcher, int steps = 0) {
  launcher.send(proto::Finished{.steps = steps, .seconds = {.load = 0.25}, .peak_rss_bytes = 1 << 20});
  return 0;
}

void step(channel::Channel& launcher, int number, int steps) {
  launcher.send(proto::Step{.step = number,
                            .steps = steps,
                            .valid_time = Time(std::chrono::seconds(1705276800)) + std::chrono::hours(6 * number),
                            .seconds = 0.5});
}

// Each of these: the exit code, or nothing when it does not know that way.
std::optional<int> misbehave_as_process(const std::string& how, channel::Channel& launcher) {
  if (how == "segfaults") {
    std::cerr << "about to fall" << std::endl;
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit code of it
    std::raise(SIGSEGV);
  }
  if (how == "ignores_term") {
    std::signal(SIGTERM, SIG_IGN);
    launcher.send(proto::Note{"deaf"});
    wait_for_ever();
  }
  if (how == "floods_stderr") {
    const std::string line(1 << 16, 'x');
    for (int i = 0; i < 400; ++i) std::cerr << line;
    std::cerr << "\nlast line" << std::endl;
    return finish(launcher);
  }
  if (how == "forks_child") {
    if (::fork() == 0) {
      std::signal(SIGTERM, SIG_IGN);
      ::setpgid(0, 0);
      wait_for_ever();
    }
    return finish(launcher);
  }
  return std::nullopt;
}

std::optional<int> break_protocol(const std::string& how) {
  if (how == "half_line") {
    std::cout << "half a line" << std::flush;
    static_cast<void>(::send(descriptor, "{\"type\":\"fin", 12, 0));
    return 0;
  }
  if (how == "garbage") {
    static_cast<void>(::send(descriptor, "hello?\n", 7, 0));
    wait_for_ever();
  }
  if (how == "endless_line") {
    const std::string piece(1 << 16, 'y');
    while (::send(descriptor, piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
    }
    wait_for_ever();
  }
  return std::nullopt;
}

int misbehave(const std::string& how, channel::Channel& launcher, const proto::Start& start) {
  if (how == "well") {
    launcher.send(proto::Phase{"load"});
    for (int i = 1; i <= 3; ++i) step(launcher, i, 3);
    std::cout << "rank " << start.rank << " of " << start.world_size << ", " << start.threads << " threads\n";
    return finish(launcher, 3);
  }
  if (how.starts_with("exits_")) return std::stoi(how.substr(6));
  if (how == "says_error") {
    launcher.send(proto::Failure{.kind = proto::FailureKind::user,
                                 .what = "the input is wrong",
                                 .where = "input.grib",
                                 .remedy = "give another",
                                 .exit_code = 2});
    return 2;
  }
  if (how == "loses_peer") {
    launcher.send(
        proto::Failure{.kind = proto::FailureKind::connection, .what = "connection reset by peer", .exit_code = 1});
    return 1;
  }
  if (how == "waits") wait_for_ever();
  if (how == "waits_for_file") {
    while (::access(variable("FAKE_WORKER_FILE").c_str(), F_OK) != 0) ::usleep(5000);
    return finish(launcher);
  }
  if (how == "lists_descriptors") {
    std::cout << "rank " << start.rank << ":";
    for (int fd = 0; fd < 1024; ++fd)
      if (::fcntl(fd, F_GETFD) >= 0) std::cout << ' ' << fd;
    std::cout << '\n';
    return finish(launcher);
  }
  if (how == "stops_on_request") {
    launcher.send(proto::Note{"waiting"});
    while (!launcher.stop_requested()) ::usleep(1000);
    launcher.send(proto::Failure{.kind = proto::FailureKind::stopped, .what = "stopped on request", .exit_code = 143});
    return 143;
  }
  if (const auto code = misbehave_as_process(how, launcher)) return *code;
  if (const auto code = break_protocol(how)) return *code;
  std::cerr << "unknown FAKE_WORKER " << how << std::endl;
  return 99;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--channel") return 98;
  std::string how = variable("FAKE_WORKER");
  if (how == "never_says_hello") wait_for_ever();
  channel::end_with_parent();
  channel::Channel launcher(std::stoi(argv[2]));
  if (how == "other_version") {
    launcher.send(proto::Hello{.version = 99, .pid = ::getpid()});
    wait_for_ever();
  }
  launcher.send(proto::Hello{.pid = ::getpid()});
  const proto::Start start = launcher.receive_start();
  launcher.send(proto::Ready{"cpu"});
  if (const std::string own = variable("FAKE_WORKER_" + std::to_string(start.rank)); !own.empty()) how = own;
  return misbehave(how, launcher, start);
}
