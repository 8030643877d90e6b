#include "launcher/launch/plan.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"
#include "launcher/launch/cpus.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/network.h"
#include "launcher/launch/reserved_port.h"
#include "launcher/launch/worker_program.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

InterfaceChoice choice_of(const Environment& environment) { return interface_choice({}, environment); }

// Only programs need it, and they say so when there is none.
Descriptor free_port() {
  try {
    return reserve_port(0);
  } catch (const EnvironmentFault&) {
    return {};
  }
}

}  // namespace

Host host_by_name() {
  Host host;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  host.name = name.data();
  return host;
}

Host this_host(const Environment& environment) {
  Host host = host_by_name();
  const auto given = environment.get("TRADEWIND_WORKER");
  host.worker = given ? std::filesystem::absolute(*given).string() : worker_path(environment, "tradewind-worker");
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

Seats seats_of_host(int world_size) { return seats_of_host(Placement{.world_size = world_size}, Environment()); }

Seats seats_of_host(const Placement& placement, const Environment& environment) {
  Seats seats{.local_size = placement.world_size};
  for (int rank = 0; rank < placement.world_size; ++rank) seats.ranks.push_back(rank);
  seats.local_ranks = seats.ranks;
  if (placement.world_size == 1) {
    seats.program_port = free_port();
    return seats;
  }
  // Nobody else comes: what MASTER_ADDR and MASTER_PORT say is held against this host, and the port let go.
  seats.master_address = open_meeting_place(placement, true, choice_of(environment), network_of_host()).address;
  seats.program_port = placement.master_port != 0 ? reserve_port(placement.master_port) : free_port();
  return seats;
}

Seats seat_of_member(const Placement& placement, const Environment& environment, bool controls) {
  Seats seats{.ranks = {placement.rank},
              .local_ranks = {placement.local_rank},
              .local_size = placement.local_size,
              .started_apart = true};
  // The launchers meet at MASTER_PORT.
  if (placement.rank == 0) seats.program_port = free_port();
  if (placement.world_size == 1) return seats;
  try {
    const InterfaceChoice choice = choice_of(environment);
    if (placement.rank != 0) {
      check_meeting_place(placement, choice, network_of_host());
      return seats;
    }
    Placement wanted = placement;
    if (!controls) wanted.master_port = 0;                                           // the controller's, elsewhere
    if (wanted.store_served) wanted.master_address.clear(), wanted.master_port = 0;  // torchrun's own
    const bool nothing_said = wanted.master_address.empty() && wanted.master_port == 0 && choice.list.empty();
    if (nothing_said && !controls) return seats;
    const bool one_host = placement.local_size == placement.world_size;
    MeetingPlace meeting = open_meeting_place(wanted, one_host, choice, network_of_host());
    if (!nothing_said) seats.master_address = meeting.address;  // empty: the controller sees which one leads here
    if (controls) seats.listener = std::move(meeting.listener);
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
  // On one host nothing of NCCL need be reached from elsewhere either. Hosts may have one name and be two (containers).
  const bool one_host = seats.local_size == launch.world_size &&
                        std::none_of(launch.hosts.begin(), launch.hosts.end(),
                                     [&](const std::string& one) { return one != launch.hosts.front(); });
  if (launch.world_size > 1 && !launch.hosts.empty() && one_host &&
      interface_choice({}, Environment(variables)).list.empty())
    variables["NCCL_SOCKET_IFNAME"] = "=lo";
  // Threads that spin at a barrier take the CPU from those it waits for as soon as anything else runs on this host.
  if (!variables.contains("OMP_WAIT_POLICY") && !variables.contains("GOMP_SPINCOUNT"))
    variables["OMP_WAIT_POLICY"] = "passive";

  proto::Start start;
  start.command = launch.command;
  start.arguments = launch.arguments;
  start.world_size = launch.world_size;
  start.master_address = launch.master_address;
  if (launch.restarts) start.restart_folder = launch.run_folder + "/restart";
  start.resume = launch.resume;
  const std::string worker =
      host.worker.empty() && launch.command != exec_command ? this_host(environment).worker : host.worker;
  if (launch.command != exec_command) add_libraries(variables);
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
    plans.push_back({.spawn = {.executable = worker,
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
  }
  return plans;
}

}  // namespace tradewind::launcher
