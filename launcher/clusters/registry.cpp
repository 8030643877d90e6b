#include "launcher/clusters/registry.h"

namespace tradewind::launcher {

using config::ClusterKind;

// A program that starts ranks inside a batch job knows more than the job: mpirun and torchrun come before Slurm.
const std::vector<Cluster>& clusters() {
  static const std::vector<Cluster> all = {
      {ClusterName::custom, 90, ClusterKind::custom, recognise_custom, "the variables of cluster.custom"},
      {ClusterName::openmpi, 80, ClusterKind::mpi, recognise_openmpi, "OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE"},
      {ClusterName::mpich, 70, ClusterKind::mpi, recognise_mpich, "PMI_RANK, PMI_SIZE"},
      {ClusterName::pmix, 60, ClusterKind::mpi, recognise_pmix, "PMIX_RANK, PMIX_NAMESPACE"},
      {ClusterName::torchrun, 50, ClusterKind::distributed, recognise_torchrun, "RANK, WORLD_SIZE, LOCAL_RANK"},
      {ClusterName::slurm, 40, ClusterKind::slurm, recognise_slurm, "SLURM_JOB_ID"},
      {ClusterName::local, 0, ClusterKind::manual, recognise_local, ""},
  };
  return all;
}

}  // namespace tradewind::launcher
