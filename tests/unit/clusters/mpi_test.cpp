// Ranks under mpirun and torchrun, with environments recorded under Open MPI 4.1.4, MPICH 4.0.2 and torchrun.
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/clusters/surroundings.h"

using namespace tradewind;
using namespace tradewind::test;

namespace {

const std::string openmpi =
    "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 "
    "OMPI_COMM_WORLD_NODE_RANK=1 OMPI_MCA_orte_hnp_uri=576389120.0;tcp://192.0.2.2:52035;tcp6://[fd00::2]:39659 "
    "PMIX_NAMESPACE=576389121 PMIX_RANK=3 ";
const std::string mpich = "PMI_RANK=3 PMI_SIZE=4 PMI_FD=8 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2 ";
const std::string proxy =
    "/usr/bin/hydra_pmi_proxy --control-port node1:41073 --rmk user --launcher ssh --pgid 0 --proxy-id 1 ";
const std::string torchrun =
    "RANK=3 WORLD_SIZE=4 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 GROUP_RANK=1 MASTER_ADDR=node1 MASTER_PORT=29500 "
    "TORCHELASTIC_RUN_ID=none TORCHELASTIC_RESTART_COUNT=1 ";

void check_fourth(const Placement& placement, ClusterName cluster) {
  CHECK(placement.cluster == cluster);
  CHECK(placement.mode == PlacementMode::member);
  CHECK(placement.world_size == 4);
  CHECK(placement.rank == 3);
  CHECK(placement.local_rank == 1);
  CHECK(placement.local_size == 2);
}

}  // namespace

TEST_CASE("Open MPI") {
  const Placement placement = placed({.variables = openmpi});
  check_fourth(placement, ClusterName::openmpi);
  CHECK(placement.job == "mpi-576389120-52035");
  CHECK(placement.master_address.empty());
  CHECK(placement.master_port == 0);
  // Open MPI 5 gives no address, but a namespace of host and process.
  CHECK(placed({.variables = "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=0 "
                             "PMIX_NAMESPACE=prterun-vm-4711@1"})
            .job == "mpi-prterun-vm-4711-1");
  CHECK_THROWS_WITH_AS(placed({.variables = "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 PMIX_NAMESPACE=7"}),
                       doctest::Contains("variable OMPI_COMM_WORLD_LOCAL_RANK: the variable is not set"), UserError);
  CHECK_THROWS_AS(placed({.variables = "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=0"}),
                  UserError);
  CHECK_THROWS_AS(placed({.variables = "OMPI_COMM_WORLD_RANK=x OMPI_COMM_WORLD_SIZE=2"}), UserError);
}

TEST_CASE("MPICH, whose PMI_RANK is no local rank") {
  const Placement placement = placed({.variables = mpich, .ancestors = {"sh script.sh", proxy}});
  check_fourth(placement, ClusterName::mpich);
  CHECK(placement.job == "mpi-node1-41073");
  CHECK_THROWS_WITH_AS(placed({.variables = "PMI_RANK=1 PMI_SIZE=2"}), doctest::Contains("variable MPI_LOCALRANKID"),
                       UserError);
  // Hydra that starts its proxies with srun.
  check_fourth(placed({.variables = mpich + "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=2 "
                                            "SLURM_STEP_NUM_TASKS=2",
                       .ancestors = {proxy}}),
               ClusterName::mpich);
}

TEST_CASE("ranks that nothing names need an address") {
  CHECK_THROWS_WITH_AS(placed({.variables = mpich}), doctest::Contains("variable MASTER_ADDR"), UserError);
  CHECK_THROWS_WITH_AS(placed({.variables = mpich + "MASTER_ADDR=node1"}), doctest::Contains("variable MASTER_PORT"),
                       UserError);
  const Placement given = placed({.variables = mpich + "MASTER_ADDR=node1 MASTER_PORT=29501"});
  CHECK(given.master_address == "node1");
  CHECK(given.master_port == 29501);
}

TEST_CASE("a bare PMIx tells no size") {
  const std::string bare = "PMIX_RANK=1 PMIX_NAMESPACE=prte-7@1";
  CHECK_THROWS_WITH_AS(placed({.variables = bare}), doctest::Contains("not how many ranks there are"), UserError);
  const Placement placement = placed({.variables = bare}, parallel(2));
  CHECK(placement.cluster == ClusterName::pmix);
  CHECK(placement.rank == 1);
  CHECK(placement.world_size == 2);
  CHECK(placement.job == "pmix-prte-7-1");
  for (const char* name : {"PMIX_RANK", "PMIX_NAMESPACE", "world_size"}) CHECK(decided_by(placement, name));
  // Left over from another program.
  try {
    placed({.variables = bare});
  } catch (const UserError& error) {
    CHECK(error.remedy().find("unset PMIX_RANK and PMIX_NAMESPACE") != std::string::npos);
  }
  CHECK_THROWS_AS(placed({.variables = bare}, parallel(2), true), UserError);
}

TEST_CASE("torchrun, whose store may serve already") {
  const Placement placement = placed({.variables = torchrun + "TORCHELASTIC_USE_AGENT_STORE=True"});
  check_fourth(placement, ClusterName::torchrun);
  CHECK(placement.master_address == "node1");
  CHECK(placement.master_port == 29500);
  CHECK(placement.store_served);
  CHECK(placement.job == "torchrun-none-29500.1");
  CHECK_FALSE(placed({.variables = torchrun + "TORCHELASTIC_USE_AGENT_STORE=False"}).store_served);
  // Also inside a Slurm job.
  check_fourth(placed({.variables = torchrun + "SLURM_JOB_ID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0 SLURM_PROCID=1"}),
               ClusterName::torchrun);
  CHECK_THROWS_WITH_AS(placed({.variables = "RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 MASTER_PORT=1234"}),
                       doctest::Contains("variable MASTER_ADDR"), UserError);
  // RANK alone is nobody's sign.
  CHECK(placed({.variables = "RANK=3"}).mode == PlacementMode::spawn);
}
