// `cluster: {custom: ...}`: the configuration names the variables. Never chosen unless asked for.
#include <sstream>

#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {
namespace {

// Of the variables named for a value, by comma, the first that is set.
std::string first_set(const config::ClusterConfig& cluster, const std::string& key, const Environment& environment) {
  std::istringstream names(cluster.mapping.at(key));
  std::string name, all;
  while (std::getline(names, name, ',')) {
    if (!environment.get_or(name, "").empty()) return name;
    all += (all.empty() ? "" : ", ") + name;
  }
  throw UserError("not set: " + all, "cluster.custom." + key, "set the variable, or name the one that holds the value");
}

}  // namespace

std::optional<Placement> recognise_custom(const Question& question) {
  const config::ClusterConfig& cluster = question.runner.cluster;
  if (cluster.kind != config::ClusterKind::custom) return std::nullopt;
  if (const auto method = cluster.mapping.find("init_method"); method != cluster.mapping.end() &&
                                                               method->second != "env://" &&
                                                               method->second != "tcp://{master_addr}:{master_port}")
    throw UserError("`" + method->second + "` is not how ranks meet here", "cluster.custom.init_method",
                    "leave it out: ranks meet at master_addr and master_port");
  if (const auto backend = cluster.mapping.find("backend");
      backend != cluster.mapping.end() && backend->second != "gloo" && backend->second != "nccl")
    throw UserError("no backend `" + backend->second + "`", "cluster.custom.backend",
                    "leave it out: it is NCCL on GPUs and Gloo on CPUs");
  const Environment& environment = question.environment;
  Variables variables(environment);
  const auto number = [&](const char* key, int least) {
    return *variables.integer(first_set(cluster, key, environment), least);
  };
  Placement placement{.cluster = ClusterName::custom, .mode = PlacementMode::member};
  placement.world_size = number("world_size", 1);
  placement.rank = number("global_rank", 0);
  placement.local_rank = number("local_rank", 0);
  check_rank(placement.rank, placement.world_size, first_set(cluster, "global_rank", environment));
  placement.master_address = *variables.text(first_set(cluster, "master_addr", environment));
  placement.master_port = number("master_port", 1);
  placement.decided_by = variables.evidence();
  return placement;
}

}  // namespace tradewind::launcher
