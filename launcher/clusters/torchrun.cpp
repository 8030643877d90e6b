// torchrun, and whatever else speaks its variables. Its agent may already serve a store at the master port.
#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {

std::optional<Placement> recognise_torchrun(const Question& question) {
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK"})
    if (question.environment.get_or(name, "").empty()) return std::nullopt;
  Variables variables(question.environment);
  Placement placement{.cluster = ClusterName::torchrun, .mode = PlacementMode::member};
  placement.rank = variables.needed("RANK", "torchrun");
  placement.world_size = variables.needed("WORLD_SIZE", "torchrun", 1);
  placement.local_rank = variables.needed("LOCAL_RANK", "torchrun");
  placement.local_size = variables.integer("LOCAL_WORLD_SIZE", 1).value_or(0);
  check_rank(placement.rank, placement.world_size, "RANK");
  placement.store_served = variables.text("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
  placement.decided_by = variables.evidence();
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"})
    if (placement.world_size > 1 && question.environment.get_or(name, "").empty())
      throw UserError("RANK, WORLD_SIZE and LOCAL_RANK are set, but nothing says where the ranks meet",
                      std::string("variable ") + name,
                      "set MASTER_ADDR to rank 0's host and MASTER_PORT to a free port there; or unset RANK");
  // A restart by torchrun is a new run at the same address.
  const std::string run = question.environment.get_or("TORCHELASTIC_RUN_ID", "");
  if (!run.empty())
    placement.job = "torchrun-" + file_name_of(run) + "-" + question.environment.get_or("MASTER_PORT", "") + "." +
                    question.environment.get_or("TORCHELASTIC_RESTART_COUNT", "0");
  return placement;
}

}  // namespace tradewind::launcher
