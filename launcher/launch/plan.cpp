#include "launcher/launch/plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"
#include "launcher/launch/cpus.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/network.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr int listen_descriptor_of_worker = 4;

InterfaceChoice choice_of(const Environment& environment) { return interface_choice({}, environment); }

}  // namespace

Host this_host(const Environment& environment) {
  namespace fs = std::filesystem;
  Host host;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  host.name = name.data();
  const auto given = environment.get("TRADEWIND_WORKER");
  host.worker = given ? fs::absolute(*given).string() : (own_program().parent_path() / "tradewind-worker").string();
  if (::access(host.worker.c_str(), X_OK) == 0) return host;
  const int error = errno;
  const bool lacks = error == ENOENT || error == ENOTDIR;
  throw EnvironmentFault(
      std::string(lacks ? "there is no worker to start: " : "the worker cannot be started: ") + std::strerror(error),
      host.worker,
      lacks ? given ? "correct or unset TRADEWIND_WORKER"
                    : "install tradewind-worker beside tradewind, or set TRADEWIND_WORKER"
            : remedy_for(error, "make it executable (chmod +x), and its folders open to you"));
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
    if (!socket.valid() || ::bind(socket.get(), address, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
      const int error = errno;
      socket.reset();
      errno = error;
    }
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
  if (!socket.valid()) {
    const int error = errno;
    throw EnvironmentFault(std::string("cannot listen for the ranks to meet: ") + std::strerror(error),
                           loopback_only ? "127.0.0.1" : "",
                           remedy_for(error, "check that the network interfaces are up"));
  }
  port = port_of(socket);
  return socket;
}

Seats seats_of_host(int world_size) { return seats_of_host(Placement{.world_size = world_size}, Environment()); }

Seats seats_of_host(const Placement& placement, const Environment& environment) {
  Seats seats{.local_size = placement.world_size};
  for (int rank = 0; rank < placement.world_size; ++rank) seats.ranks.push_back(rank);
  seats.local_ranks = seats.ranks;
  if (placement.world_size == 1) return seats;
  MeetingPlace place = open_meeting_place(placement, true, choice_of(environment), network_of_host());
  seats.master_address = place.address;
  seats.master_port = place.port;
  seats.listener = std::move(place.listener);
  return seats;
}

Seats seat_of_member(const Placement& placement, const Environment& environment) {
  Seats seats{.ranks = {placement.rank},
              .local_ranks = {placement.local_rank},
              .local_size = placement.local_size,
              .started_apart = true};
  if (placement.world_size == 1) return seats;
  try {
    const InterfaceChoice choice = choice_of(environment);
    if (placement.rank != 0) {
      check_meeting_place(placement, choice, network_of_host());
    } else if (placement.master_address.empty() && placement.master_port == 0 && choice.list.empty()) {
      int port = 0;
      seats.listener = listen_for_ranks(false, port);  // the controller sees which address leads here
    } else {
      const bool one_host = placement.local_size == placement.world_size;
      MeetingPlace place = open_meeting_place(placement, one_host, choice, network_of_host());
      seats.master_address = place.address;
      seats.master_port = place.port;
      seats.listener = std::move(place.listener);
    }
  } catch (const Error&) {
    seats.fault = std::current_exception();
  }
  return seats;
}

std::vector<RankPlan> plan_ranks(const proto::Launch& launch, const Host& host, const Environment& environment,
                                 Seats seats) {
  if (seats.fault) std::rethrow_exception(seats.fault);
  auto variables = environment.variables();
  for (const auto& [name, value] : launch.environment) variables[name] = value;
  // Torchrun's word that its store serves, which the worker obeys, holds only where its ranks are ours.
  if (!launch.store_served) variables.erase("TORCHELASTIC_USE_AGENT_STORE");
  // Threads that spin at a barrier take the CPU from those it waits for as soon as anything else runs on this host.
  if (!variables.contains("OMP_WAIT_POLICY") && !variables.contains("GOMP_SPINCOUNT"))
    variables["OMP_WAIT_POLICY"] = "passive";

  proto::Start start;
  start.command = launch.command;
  start.arguments = launch.arguments;
  start.world_size = launch.world_size;
  start.master_address = launch.master_address;
  start.master_port = launch.master_port;
  if (launch.restarts) start.restart_folder = launch.run_folder + "/restart";
  start.resume = launch.resume;
  const std::vector<int> cpus = host.cpus.empty() ? usable_cpus() : host.cpus;
  const Quota quota = host.cpus.empty() ? quota_of_process() : host.quota;
  std::vector<RankPlan> plans;
  for (std::size_t i = 0; i < seats.ranks.size(); ++i) {
    start.rank = seats.ranks[i];
    start.local_rank = seats.local_ranks.at(i);
    CpuShare share = share_of_host(cpus, start.local_rank, seats.local_size, seats.started_apart, variables, quota);
    start.threads = share.threads;
    auto& threads = variables["OMP_NUM_THREADS"];
    if (threads.empty()) threads = std::to_string(share.threads);
    plans.push_back({.spawn = {.executable = host.worker,
                               .arguments = {"--channel", "3"},
                               .environment = variables,
                               .cpus = std::move(share.cpus),
                               .ignores_signals_to_launcher = true},
                     .start = start});
    if (start.rank == 0) {
      for (const auto& [path, descriptor] : seats.streams) {
        std::vector<int>& streams = plans.back().spawn.streams;
        plans.back().start.streams[path] = first_stream_of_worker + static_cast<int>(streams.size());
        streams.push_back(descriptor);
      }
    }
    if (start.rank != 0 || !seats.listener.valid()) continue;
    plans.back().start.listen_descriptor = listen_descriptor_of_worker;
    plans.back().spawn.listener = std::move(seats.listener);
  }
  return plans;
}

}  // namespace tradewind::launcher
