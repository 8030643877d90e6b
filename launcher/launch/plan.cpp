#include "launcher/launch/plan.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <thread>

#include "common/errors.h"

namespace tradewind::launcher {
namespace {

constexpr int listen_descriptor_of_worker = 4;

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));  // more CPUs than a cpu_set_t holds
}

// OMP_NUM_THREADS may be a list, one count for each level of nesting.
int thread_count(const std::string& text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool ends = end == text.data() + text.size() || *end == ',';
  if (error != std::errc{} || !ends || count < 1)
    throw UserError("`" + text + "` is no number of threads", "OMP_NUM_THREADS",
                    "give a positive integer, or unset it");
  return count;
}

Descriptor listen_on_loopback(int& port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (!socket.valid() || ::bind(socket.get(), raw, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket.get(), raw, &size) != 0)
    throw EnvironmentFault(std::string("cannot listen for the ranks to meet: ") + std::strerror(errno), "127.0.0.1",
                           "check that the loopback interface is up");
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

Host this_host(const Environment& environment) {
  namespace fs = std::filesystem;
  Host host;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  host.name = name.data();
  host.cpus = usable_cpus();
  const auto given = environment.get("TRADEWIND_WORKER");
  std::error_code error;
  host.worker = given ? fs::absolute(*given).string()
                      : (fs::read_symlink("/proc/self/exe", error).parent_path() / "tradewind-worker").string();
  if (::access(host.worker.c_str(), X_OK) != 0)
    throw EnvironmentFault(std::string("there is no worker to start: ") + std::strerror(errno), host.worker,
                           given ? "correct or unset TRADEWIND_WORKER"
                                 : "install tradewind-worker beside tradewind, or set TRADEWIND_WORKER");
  return host;
}

std::vector<RankPlan> plan_local(const Job& job, const Host& host, const Environment& environment) {
  std::vector<RankPlan> plans;
  auto variables = environment.variables();
  for (const auto& [name, value] : job.environment) variables[name] = value;
  auto& threads = variables["OMP_NUM_THREADS"];
  if (threads.empty()) threads = std::to_string(std::max(1, host.cpus / job.world_size));
  // Threads that spin at a barrier take the CPU from those it waits for as soon as anything else runs on this host.
  if (!variables.contains("OMP_WAIT_POLICY") && !variables.contains("GOMP_SPINCOUNT"))
    variables["OMP_WAIT_POLICY"] = "passive";

  proto::Start start;
  start.command = job.command;
  start.arguments = job.arguments;
  start.world_size = job.world_size;
  start.threads = thread_count(threads);
  Descriptor listener;
  if (job.world_size > 1) {
    start.master_address = "127.0.0.1";
    listener = listen_on_loopback(start.master_port);
  }
  for (int rank = 0; rank < job.world_size; ++rank) {
    start.rank = start.local_rank = rank;
    plans.push_back({.spawn = {.executable = host.worker, .arguments = {"--channel", "3"}, .environment = variables},
                     .start = start});
  }
  if (listener.valid()) {
    plans.front().start.listen_descriptor = listen_descriptor_of_worker;
    plans.front().spawn.listener = std::move(listener);
  }
  return plans;
}

}  // namespace tradewind::launcher
