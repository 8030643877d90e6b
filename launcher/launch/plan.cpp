#include "launcher/launch/plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

int port_of(const Descriptor& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (!listener.valid() || ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

Descriptor listen_for_ranks(bool loopback_only, int& port) {
  const auto listening = [](int family, const sockaddr* address, socklen_t size) {
    Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int off = 0;
    if (socket.valid() && family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!socket.valid() || ::bind(socket.get(), address, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0)
      socket.reset();
    return socket;
  };
  Descriptor socket;
  if (!loopback_only) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    socket = listening(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any);
  }
  if (!socket.valid()) {  // also where there is no IPv6
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(loopback_only ? INADDR_LOOPBACK : INADDR_ANY);
    socket = listening(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (!socket.valid())
    throw EnvironmentFault(std::string("cannot listen for the ranks to meet: ") + std::strerror(errno),
                           loopback_only ? "127.0.0.1" : "", "check that the network interfaces are up");
  port = port_of(socket);
  return socket;
}

Seats seats_of_host(int world_size) {
  Seats seats{.local_size = world_size};
  for (int rank = 0; rank < world_size; ++rank) seats.ranks.push_back(rank);
  seats.local_ranks = seats.ranks;
  int port = 0;
  if (world_size > 1) seats.listener = listen_for_ranks(true, port);
  return seats;
}

std::vector<RankPlan> plan_ranks(const proto::Launch& launch, const Host& host, const Environment& environment,
                                 Seats seats) {
  auto variables = environment.variables();
  for (const auto& [name, value] : launch.environment) variables[name] = value;
  auto& threads = variables["OMP_NUM_THREADS"];
  if (threads.empty()) threads = std::to_string(std::max(1, host.cpus / std::max(1, seats.local_size)));
  // Threads that spin at a barrier take the CPU from those it waits for as soon as anything else runs on this host.
  if (!variables.contains("OMP_WAIT_POLICY") && !variables.contains("GOMP_SPINCOUNT"))
    variables["OMP_WAIT_POLICY"] = "passive";

  proto::Start start;
  start.command = launch.command;
  start.arguments = launch.arguments;
  start.world_size = launch.world_size;
  start.threads = thread_count(threads);
  start.master_address = launch.master_address;
  start.master_port = launch.master_port;
  std::vector<RankPlan> plans;
  for (std::size_t i = 0; i < seats.ranks.size(); ++i) {
    start.rank = seats.ranks[i];
    start.local_rank = seats.local_ranks.at(i);
    plans.push_back({.spawn = {.executable = host.worker, .arguments = {"--channel", "3"}, .environment = variables},
                     .start = start});
    if (start.rank != 0 || !seats.listener.valid()) continue;
    plans.back().start.listen_descriptor = listen_descriptor_of_worker;
    plans.back().spawn.listener = std::move(seats.listener);
  }
  return plans;
}

}  // namespace tradewind::launcher
