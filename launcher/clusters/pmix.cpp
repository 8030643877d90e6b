// A bare PMIx launcher, which tells a process its rank and job, but not how many there are: the configuration must.
#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {

std::optional<Placement> recognise_pmix(const Question& question) {
  Variables variables(question.environment);
  if (!question.environment.has("PMIX_RANK") || !question.environment.has("PMIX_NAMESPACE")) return std::nullopt;
  // srun --mpi=pmix sets them too, and Slurm knows the rest.
  if (question.environment.has("SLURM_STEP_ID") && question.environment.has("SLURM_PROCID")) return std::nullopt;
  Placement placement{.cluster = ClusterName::pmix, .mode = PlacementMode::member};
  placement.rank = variables.needed("PMIX_RANK", "PMIx");
  placement.job = "pmix-" + file_name_of(variables.text("PMIX_NAMESPACE").value_or(""));
  if (!question.runner.world_size)
    throw UserError("PMIx names rank " + std::to_string(placement.rank) + ", but not how many ranks there are",
                    "variable PMIX_RANK",
                    "set world_size to the number of processes that were started; if none were (the variables are left "
                    "over from another program), unset PMIX_RANK and PMIX_NAMESPACE, or write cluster: {manual: N}");
  placement.world_size = *question.runner.world_size;
  check_rank(placement.rank, placement.world_size, "PMIX_RANK");
  const auto local = variables.integer("PMIX_LOCAL_RANK");
  if (!local && question.on_gpus)
    throw UserError("nothing says which rank of its host this is, which decides its GPU", "variable PMIX_LOCAL_RANK",
                    "set it for each process, or name the variables under `cluster: {custom: ...}`");
  placement.local_rank = local.value_or(0);
  placement.decided_by = variables.evidence();
  placement.decided_by.push_back({"world_size", std::to_string(placement.world_size)});
  return placement;
}

}  // namespace tradewind::launcher
