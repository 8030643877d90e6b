#include <algorithm>

#include "common/errors.h"
#include "launcher/clusters/cluster.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {
namespace {

using config::ClusterKind;

const char* text_of(ClusterKind kind) {
  switch (kind) {
    case ClusterKind::manual:
      return "manual";
    case ClusterKind::slurm:
      return "slurm";
    case ClusterKind::mpi:
      return "mpi";
    case ClusterKind::distributed:
      return "distributed";
    case ClusterKind::custom:
      return "custom";
    default:
      return "automatic";
  }
}

std::optional<Placement> first_of(const Question& question, std::optional<ClusterKind> kind) {
  for (const Cluster& cluster : clusters()) {
    if (kind && cluster.kind != *kind) continue;
    if (auto placement = cluster.recognise(question)) return placement;
  }
  return std::nullopt;
}

Placement as_configured(const Question& question) {
  const ClusterKind kind = question.runner.cluster.kind;
  if (auto placement = first_of(question, kind)) return *placement;
  std::string signs;
  for (const Cluster& cluster : clusters())
    if (cluster.kind == kind) signs += (signs.empty() ? "" : "; ") + std::string(cluster.signs);
  throw UserError(std::string("`cluster: ") + text_of(kind) + "`, but these variables are not set: " + signs,
                  question.probes.host,
                  "start tradewind under it, or leave `cluster` out: the surroundings decide then");
}

// Ranks that something else started one by one, of a run that each of them would start whole.
void refuse_copies(const Question& question) {
  const auto around = first_of(question, std::nullopt);
  if (!around || around->mode != PlacementMode::member || around->world_size == 1) return;
  const std::string count = std::to_string(around->world_size), cluster = text_of(around->cluster);
  if (!question.runner.parallel)
    throw UserError(count + " processes were started by " + cluster + ", but the runner is not parallel: each would " +
                        "make the whole forecast",
                    "runner", "write runner: parallel, or start one process");
  throw UserError(count + " processes were started by " + cluster + ", and each would start " +
                      std::to_string(question.runner.cluster.world_size.value_or(1)) + " ranks",
                  "cluster.manual", "leave `cluster` out, or start one process");
}

void add_master(Placement& placement, const Question& question) {
  if (placement.world_size == 1 || placement.cluster == ClusterName::custom) return;
  Variables variables(question.environment);
  if (const auto address = variables.text("MASTER_ADDR")) placement.master_address = *address;
  if (const auto port = variables.integer("MASTER_PORT", 1)) {
    if (*port > 65535)
      throw UserError(std::to_string(*port) + " is no port", "variable MASTER_PORT",
                      "give one from 1 to 65535, or unset it");
    placement.master_port = *port;
  }
  for (Evidence& seen : variables.evidence())
    if (std::find(placement.decided_by.begin(), placement.decided_by.end(), seen) == placement.decided_by.end())
      placement.decided_by.push_back(std::move(seen));
}

void check_meeting(const Placement& placement) {
  if (placement.mode != PlacementMode::member || placement.world_size == 1 || !placement.job.empty()) return;
  if (!placement.master_address.empty() && placement.master_port != 0) return;
  throw UserError("nothing that all ranks know says where they meet",
                  placement.master_address.empty() ? "variable MASTER_ADDR" : "variable MASTER_PORT",
                  "set MASTER_ADDR to rank 0's host and MASTER_PORT to a free port there, for every rank");
}

}  // namespace

Placement resolve(const Question& question) {
  const config::RunnerConfig& runner = question.runner;
  const ClusterKind kind = runner.cluster.kind;
  if (!runner.parallel || kind == ClusterKind::manual) {
    refuse_copies(question);
    Placement placement = *recognise_local(question);
    if (runner.parallel) add_master(placement, question);
    return placement;
  }
  Placement placement = kind == ClusterKind::automatic ? *first_of(question, std::nullopt) : as_configured(question);
  add_master(placement, question);
  check_meeting(placement);
  if (placement.mode != PlacementMode::spawn && runner.world_size && *runner.world_size != placement.world_size)
    placement.notes.push_back("world_size is " + std::to_string(*runner.world_size) + ", but " +
                              text_of(placement.cluster) + " counts " + std::to_string(placement.world_size) +
                              " ranks: that counts");
  return placement;
}

std::string name_of_run(const Placement& placement) {
  if (!placement.job.empty()) return placement.job;
  return file_name_of(placement.master_address + "-" + std::to_string(placement.master_port));
}

const char* text_of(ClusterName cluster) {
  switch (cluster) {
    case ClusterName::local:
      return "local";
    case ClusterName::slurm:
      return "slurm";
    case ClusterName::openmpi:
      return "openmpi";
    case ClusterName::mpich:
      return "mpich";
    case ClusterName::pmix:
      return "pmix";
    case ClusterName::torchrun:
      return "torchrun";
    case ClusterName::custom:
      return "custom";
  }
  return "";
}

const char* text_of(PlacementMode mode) {
  switch (mode) {
    case PlacementMode::spawn:
      return "spawn";
    case PlacementMode::member:
      return "member";
    case PlacementMode::wrap:
      return "wrap";
  }
  return "";
}

}  // namespace tradewind::launcher
