#include <filesystem>
#include <iostream>

#include "launcher/clusters/cluster.h"
#include "launcher/commands/checked_config.h"
#include "launcher/commands/commands.h"
#include "launcher/launch/cpus.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/launch/srun.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;

// What a forecast without a configuration would be: parallel, on as many ranks as the surroundings say.
struct Wishes {
  config::RunnerConfig runner;
  std::map<std::string, std::string> environment;
  bool on_gpus = false;
};

Wishes wishes_of(const ClusterCommand& command, const Environment& environment) {
  Wishes wishes;
  if (command.config.empty()) {
    wishes.runner.parallel = true;
    return wishes;
  }
  const CheckedConfig checked = read_config(
      {.config = command.config, .defaults = command.defaults, .overrides = command.overrides}, environment);
  for (const std::string& warning : checked.findings.warnings()) std::cerr << "warning: " << warning << '\n';
  checked.findings.throw_refusals();
  const config::RunConfig& config = checked.config;
  wishes.runner = config.runner;
  wishes.environment = config.env;
  wishes.on_gpus = wants_gpus(config);
  return wishes;
}

std::string meeting_text(const Placement& placement) {
  if (placement.world_size == 1) return "";
  if (placement.mode == PlacementMode::spawn) return "this launcher, without a port";
  const bool torchrun = placement.store_served;  // its own store has the port
  const std::string port =
      placement.master_port == 0 || torchrun ? "a free port" : "port " + std::to_string(placement.master_port);
  if (placement.mode == PlacementMode::wrap) return port + " of this host";
  const std::string host = !placement.master_address.empty() ? placement.master_address
                           : !placement.hosts.empty()        ? placement.hosts.front()
                                                             : "rank 0's host";
  return port + " of " + host;
}

struct Answer {
  Placement placement;
  std::vector<std::string> srun;  // wrap only
  std::string meeting;
  int cpus = 0, threads = 0;  // of each rank that would run here; 0 for wrap
  std::string host;
};

void print(const Answer& answer, std::ostream& out) {
  const Placement& placement = answer.placement;
  const std::string ranks = std::to_string(placement.world_size) + (placement.world_size == 1 ? " rank" : " ranks");
  const auto row = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out << name << value << '\n';
  };
  row("cluster       ", text_of(placement.cluster));
  row("would start   ", placement.mode == PlacementMode::spawn ? ranks + " on this host"
                        : placement.mode == PlacementMode::wrap
                            ? ranks + " with srun"
                            : "rank " + std::to_string(placement.rank) + " of " + std::to_string(placement.world_size) +
                                  " (local rank " + std::to_string(placement.local_rank) + ")");
  std::string hosts;
  for (const std::string& host : placement.hosts) hosts += (hosts.empty() ? "" : " ") + host;
  row(placement.mode == PlacementMode::wrap ? "hosts         " : "host of ranks ", hosts);
  row("this host     ", answer.host);
  row("ranks meet at ", answer.meeting);
  if (answer.threads > 0)
    row("each rank has ", std::to_string(answer.threads) + (answer.threads == 1 ? " thread" : " threads") +
                              (answer.cpus == 0   ? ""
                               : answer.cpus == 1 ? ", pinned to 1 CPU"
                                                  : ", pinned to " + std::to_string(answer.cpus) + " CPUs"));
  if (!answer.srun.empty()) row("command       ", shown(answer.srun));
  const char* name = "decided by    ";
  for (const Evidence& evidence : placement.decided_by) {
    row(name, evidence.name + "=" + evidence.value);
    name = "              ";
  }
  for (const std::string& note : placement.notes) row("note          ", note);
}

void print_json(const Answer& answer, std::ostream& out) {
  const Placement& placement = answer.placement;
  Json json = {{"cluster", text_of(placement.cluster)},
               {"mode", text_of(placement.mode)},
               {"world_size", placement.world_size},
               {"host", answer.host}};
  if (placement.mode == PlacementMode::member) {
    json["rank"] = placement.rank;
    json["local_rank"] = placement.local_rank;
    json["local_size"] = placement.local_size;
  }
  json["hosts"] = placement.hosts;
  json["job"] = placement.job;
  json["master_address"] = placement.master_address;
  json["master_port"] = placement.master_port;
  json["store_served"] = placement.store_served;
  if (answer.threads > 0) json["threads"] = answer.threads;
  if (!answer.srun.empty()) json["command"] = answer.srun;
  json["decided_by"] = Json::object();
  for (const Evidence& evidence : placement.decided_by) json["decided_by"][evidence.name] = evidence.value;
  json["notes"] = placement.notes;
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace

int cluster(const ClusterCommand& command, const Environment& environment) {
  const Wishes wishes = wishes_of(command, environment);
  const Probes probes = probes_of_process(environment);
  Answer answer{.placement = resolve({wishes.runner, wishes.on_gpus, environment, probes})};
  answer.host = probes.host;
  answer.meeting = meeting_text(answer.placement);
  if (answer.placement.mode == PlacementMode::wrap) {
    answer.srun = srun_command(answer.placement, environment, std::filesystem::current_path().string(),
                               words_of(command.srun_args, "--srun-args"), {"tradewind", "agent"});
  } else {
    auto variables = environment.variables();
    for (const auto& [name, value] : wishes.environment) variables[name] = value;
    const CpuShare share = share_of_host(
        usable_cpus(), answer.placement.local_rank,
        answer.placement.mode == PlacementMode::spawn ? answer.placement.world_size : answer.placement.local_size,
        answer.placement.mode == PlacementMode::member, variables, quota_of_process());
    answer.threads = share.threads;
    answer.cpus = static_cast<int>(share.cpus.size());
  }
  if (command.json)
    print_json(answer, std::cout);
  else
    print(answer, std::cout);
  std::cout << std::flush;
  return 0;
}

}  // namespace tradewind::launcher
