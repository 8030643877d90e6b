// Open MPI's mpirun. Its variables hold inside a Slurm job too, where the SLURM_* ones are those of its daemons.
#include "launcher/clusters/registry.h"
#include "launcher/clusters/variables.h"

namespace tradewind::launcher {
namespace {

// All processes of one mpirun know the address of the mpirun that started them, with its port: two of them never share
// it. Open MPI 5 has no such address, but a namespace that holds its host and process.
std::string job_of(Variables& variables) {
  const std::string name = variables.text("PMIX_NAMESPACE").value_or("");
  const std::string uri = variables.text("OMPI_MCA_orte_hnp_uri").value_or("");
  const auto address = uri.find("://");
  if (address == std::string::npos) return name.empty() ? name : "mpi-" + file_name_of(name);
  const auto colon = uri.find(':', address + 3);
  const auto end = uri.find_first_not_of("0123456789", colon == std::string::npos ? uri.size() : colon + 1);
  const std::string port = colon == std::string::npos ? "" : uri.substr(colon + 1, end - colon - 1);
  return "mpi-" + file_name_of(uri.substr(0, uri.find('.'))) + "-" + port;
}

}  // namespace

std::optional<Placement> recognise_openmpi(const Question& question) {
  Variables variables(question.environment);
  const auto rank = variables.integer("OMPI_COMM_WORLD_RANK");
  const auto size = variables.integer("OMPI_COMM_WORLD_SIZE", 1);
  if (!rank && !size) return std::nullopt;
  Placement placement{.cluster = ClusterName::openmpi, .mode = PlacementMode::member};
  placement.world_size = variables.needed("OMPI_COMM_WORLD_SIZE", "mpirun", 1);
  placement.rank = variables.needed("OMPI_COMM_WORLD_RANK", "mpirun");
  placement.local_rank = variables.needed("OMPI_COMM_WORLD_LOCAL_RANK", "mpirun");
  placement.local_size = variables.integer("OMPI_COMM_WORLD_LOCAL_SIZE", 1).value_or(0);
  check_rank(placement.rank, placement.world_size, "OMPI_COMM_WORLD_RANK");
  placement.decided_by = variables.evidence();
  placement.job = job_of(variables);
  return placement;
}

}  // namespace tradewind::launcher
