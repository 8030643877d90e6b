// The environments that ranks can come from, in the order in which they are asked. A new one is a file with a function
// of this form and a row in registry.cpp.
#pragma once

#include <optional>
#include <vector>

#include "launcher/clusters/cluster.h"

namespace tradewind::launcher {

// Where this process stands in that environment; nothing when it is not in it. Fills everything but what MASTER_ADDR,
// MASTER_PORT and the configuration's number of ranks say: resolve() adds those.
using Place = std::optional<Placement> (*)(const Question& question);

struct Cluster {
  ClusterName name;
  int priority;              // the highest is asked first
  config::ClusterKind kind;  // what `cluster:` calls it
  Place place;
  const char* signs;  // the variables by which it is known, for errors
};
// By falling priority.
const std::vector<Cluster>& clusters();

std::optional<Placement> place_openmpi(const Question& question);
std::optional<Placement> place_mpich(const Question& question);
std::optional<Placement> place_pmix(const Question& question);
std::optional<Placement> place_torchrun(const Question& question);
std::optional<Placement> place_slurm(const Question& question);
std::optional<Placement> place_custom(const Question& question);
std::optional<Placement> place_local(const Question& question);

}  // namespace tradewind::launcher
