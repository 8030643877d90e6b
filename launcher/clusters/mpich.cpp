// MPICH's mpiexec (Hydra) and its relatives, among them Intel MPI. PMI_RANK is the rank among all, not on this host.
#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {
namespace {

// Hydra's proxy, the parent, was told where its mpiexec listens: HOST:PORT names the run.
std::string job_of(const Probes& probes) {
  const std::string option = "--control-port ";
  for (const std::string& command : probes.ancestors) {
    const auto at = command.find(option);
    if (at == std::string::npos) continue;
    const auto begin = at + option.size();
    return "mpi-" + file_name_of(command.substr(begin, command.find(' ', begin) - begin));
  }
  return "";
}

}  // namespace

std::optional<Placement> recognise_mpich(const Question& question) {
  Variables variables(question.environment);
  if (!question.environment.has("PMI_RANK") || !question.environment.has("PMI_SIZE")) return std::nullopt;
  const bool by_hydra = question.environment.has("MPI_LOCALRANKID");
  // srun --mpi=pmi2 sets PMI_RANK and PMI_SIZE too: then Slurm knows the local rank.
  if (!by_hydra && question.environment.has("SLURM_STEP_ID") && question.environment.has("SLURM_PROCID"))
    return std::nullopt;
  Placement placement{.cluster = ClusterName::mpich, .mode = PlacementMode::member};
  placement.world_size = variables.needed("PMI_SIZE", "mpiexec", 1);
  placement.rank = variables.needed("PMI_RANK", "mpiexec");
  check_rank(placement.rank, placement.world_size, "PMI_RANK");
  if (by_hydra) {
    placement.local_rank = variables.needed("MPI_LOCALRANKID", "mpiexec");
    placement.local_size = variables.integer("MPI_LOCALNRANKS", 1).value_or(0);
  } else if (const auto local = variables.integer("PMI_LOCAL_RANK")) {
    placement.local_rank = *local;
    placement.local_size = variables.integer("PMI_LOCAL_SIZE", 1).value_or(0);
  } else {
    throw UserError("nothing says which rank of its host this is: PMI_RANK counts over all hosts",
                    "variable MPI_LOCALRANKID",
                    "use an mpiexec that sets MPI_LOCALRANKID or PMI_LOCAL_RANK, or name the variables under "
                    "`cluster: {custom: ...}`");
  }
  placement.decided_by = variables.evidence();
  placement.job = job_of(question.probes);
  return placement;
}

}  // namespace tradewind::launcher
