// The environments that ranks can come from, in the order in which they are asked. A new one is a file with a function
// of this form and a row in registry.cpp.
#pragma once

#include <optional>
#include <vector>

#include "launcher/clusters/cluster.h"

namespace tradewind::launcher {

// Where this process stands in that environment; nothing when it is not in it. Fills everything but what MASTER_ADDR,
// MASTER_PORT and the configuration's number of ranks say: resolve() adds those.
using Recognise = std::optional<Placement> (*)(const Question& question);

struct Cluster {
  ClusterName name;
  int priority;              // the highest is asked first
  config::ClusterKind kind;  // what `cluster:` calls it
  Recognise recognise;
  const char* signs;  // the variables by which it is known, for errors
};
// By falling priority.
const std::vector<Cluster>& clusters();

std::optional<Placement> recognise_openmpi(const Question& question);
std::optional<Placement> recognise_mpich(const Question& question);
std::optional<Placement> recognise_pmix(const Question& question);
std::optional<Placement> recognise_torchrun(const Question& question);
std::optional<Placement> recognise_slurm(const Question& question);
std::optional<Placement> recognise_custom(const Question& question);
std::optional<Placement> recognise_local(const Question& question);

}  // namespace tradewind::launcher
