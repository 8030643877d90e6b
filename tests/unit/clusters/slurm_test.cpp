// The table of what a process sees under Slurm, row by row, with environments recorded on Slurm 22.05.
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/clusters/surroundings.h"

using namespace tradewind;
using namespace tradewind::test;

namespace {

using Hosts = std::vector<std::string>;

// sbatch -N2 -n4, in the script.
const std::string batch =
    "SLURM_JOB_ID=1 SLURM_CLUSTER_NAME=c SLURM_JOB_NAME=b1.sh SLURM_JOB_NODELIST=node[1-2] SLURM_NTASKS=4 "
    "SLURM_TASKS_PER_NODE=3,1 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0 SLURMD_NODENAME=node1 ";
// srun in it, the task with rank 3.
const std::string task =
    "SLURM_JOB_ID=1 SLURM_CLUSTER_NAME=c SLURM_JOB_NAME=b1.sh SLURM_JOB_NODELIST=node[1-2] SLURM_NTASKS=4 "
    "SLURM_TASKS_PER_NODE=3,1 SLURM_PROCID=3 SLURM_LOCALID=0 SLURM_NODEID=1 SLURMD_NODENAME=node2 SLURM_STEP_ID=0 "
    "SLURM_STEP_NUM_TASKS=4 SLURM_STEP_NODELIST=node[1-2] SLURM_STEP_TASKS_PER_NODE=3,1 SLURM_DISTRIBUTION=block ";

void check_wraps(const Placement& placement, int world_size, bool inside_step = false) {
  CHECK(placement.cluster == ClusterName::slurm);
  CHECK(placement.mode == PlacementMode::wrap);
  CHECK(placement.world_size == world_size);
  CHECK(placement.inside_step == inside_step);
}

}  // namespace

TEST_CASE("row: under srun, a task is one rank") {
  const Placement placement = placed({.variables = task, .ancestors = {"slurmstepd: [1.0]    "}, .host = "node2"});
  CHECK(placement.cluster == ClusterName::slurm);
  CHECK(placement.mode == PlacementMode::member);
  CHECK(placement.world_size == 4);
  CHECK(placement.rank == 3);
  CHECK(placement.local_rank == 0);
  CHECK(placement.local_size == 1);
  CHECK(placement.hosts == Hosts{"node1", "node1", "node1", "node2"});
  CHECK(placement.job == "c-1.0");
  CHECK(placement.notes.empty());
  CHECK(decided_by(placement, "SLURM_STEP_NUM_TASKS"));
  // Where a container hides the ancestors, the variables are enough.
  CHECK(placed({.variables = task, .host = "node2"}).rank == 3);
}

TEST_CASE("the step's count wins over world_size, and says so") {
  const Placement placement = placed({.variables = task}, parallel(2));
  CHECK(placement.world_size == 4);
  CHECK(placement.notes == std::vector<std::string>{"world_size is 2, but slurm counts 4 ranks: that counts"});
  CHECK(placed({.variables = task}, parallel(4)).notes.empty());
}

TEST_CASE("ranks dealt out in turn") {
  const Placement placement = placed(
      {.variables = "SLURM_JOB_ID=5 SLURM_JOB_NAME=interactive SLURM_JOB_NODELIST=node[1-2] SLURM_NTASKS=3 "
                    "SLURM_TASKS_PER_NODE=2,1 SLURM_PROCID=2 SLURM_LOCALID=1 SLURM_NODEID=0 SLURMD_NODENAME=node1 "
                    "SLURM_STEP_ID=1 SLURM_STEP_NUM_TASKS=3 SLURM_STEP_NODELIST=node[1-2] "
                    "SLURM_STEP_TASKS_PER_NODE=2,1 SLURM_DISTRIBUTION=cyclic"});
  CHECK(placement.hosts == Hosts{"node1", "node2", "node1"});
  CHECK(placement.local_rank == 1);
  CHECK(placement.local_size == 2);
  CHECK(placement.job == "5.1");
}

TEST_CASE("row: a batch script without srun wraps") {
  const Placement placement = placed({.variables = batch, .ancestors = {"bash", "slurmstepd: [1.batch]    "}});
  check_wraps(placement, 4);
  CHECK(placement.hosts == Hosts{"node1", "node2"});
  CHECK(placement.job == "c-1");
  check_wraps(placed({.variables = batch}), 4);
  // Batch scripts of only --nodes have no SLURM_NTASKS.
  const std::string no_count = "SLURM_JOB_ID=1 SLURM_JOB_NODELIST=node[1-2] SLURM_TASKS_PER_NODE=1(x2) SLURM_PROCID=0 ";
  check_wraps(placed({.variables = no_count}, parallel(4)), 4);
  check_wraps(placed({.variables = no_count}), 2);
  check_wraps(placed({.variables = no_count + "SLURM_GPUS_ON_NODE=4"}, parallel(), true), 8);
  check_wraps(placed({.variables = no_count + "SLURM_GPUS=5"}, parallel(), true), 5);
  check_wraps(placed({.variables = batch}, parallel(2)), 4);
  CHECK_THROWS_AS(placed({.variables = batch + "SLURM_GPUS=3"}, parallel(), true), UserError);
}

TEST_CASE("tasks per host, where Slurm gives no count of all") {
  const std::string two = "SLURM_JOB_ID=1 SLURM_JOB_NODELIST=node[1-2] SLURM_PROCID=0 SLURM_JOB_CPUS_PER_NODE=16(x2) ";
  check_wraps(placed({.variables = two + "SLURM_NTASKS_PER_NODE=4 SLURM_TASKS_PER_NODE=4(x2)"}), 8);
  check_wraps(placed({.variables = two + "SLURM_NTASKS_PER_NODE=4"}), 8);
  CHECK(decided_by(placed({.variables = two + "SLURM_NTASKS_PER_NODE=4"}), "SLURM_NTASKS_PER_NODE"));
  check_wraps(placed({.variables = two + "SLURM_NTASKS_PER_NODE=4"}, parallel(2)), 8);
  check_wraps(placed({.variables = two + "SLURM_NTASKS_PER_NODE=4 SLURM_NTASKS=6 SLURM_TASKS_PER_NODE=3(x2)"}), 6);
  check_wraps(placed({.variables = two + "SLURM_NPROCS=5"}), 5);
  check_wraps(placed({.variables = two + "SLURM_TASKS_PER_NODE=4,3"}), 7);
  check_wraps(placed({.variables = two + "SLURM_TASKS_PER_NODE=4(x2)"}, parallel(2)), 2);
  // What Slurm fills in when nobody asked: one a host, or one a CPU.
  check_wraps(placed({.variables = two + "SLURM_TASKS_PER_NODE=1(x2)"}), 2);
  check_wraps(placed({.variables = two + "SLURM_TASKS_PER_NODE=16(x2)"}), 2);
  const Placement leaked = placed({.variables = two + "SLURM_NTASKS_PER_NODE=8 SLURM_TASKS_PER_NODE=1(x2)"});
  check_wraps(leaked, 2);
  CHECK(leaked.notes.front().find("SLURM_NTASKS_PER_NODE=8 does not fit") != std::string::npos);
}

TEST_CASE("variables of Slurm that contradict each other are named") {
  const std::string two = "SLURM_JOB_ID=1 SLURM_JOB_NODELIST=node[1-2] SLURM_PROCID=0 SLURM_NTASKS=2 ";
  CHECK_THROWS_WITH_AS(placed({.variables = two + "SLURM_JOB_NUM_NODES=3"}),
                       doctest::Contains("variable SLURM_JOB_NUM_NODES"), UserError);
  check_wraps(placed({.variables = two + "SLURM_JOB_NUM_NODES=2 SLURM_NNODES=1"}), 2);  // within a step of one host
  for (const char* bad : {"SLURM_NTASKS_PER_NODE=0", "SLURM_NTASKS_PER_NODE=many", "SLURM_TASKS_PER_NODE=4(x",
                          "SLURM_TASKS_PER_NODE=999999(x9)", "SLURM_NTASKS_PER_NODE=2000000000"})
    CHECK_THROWS_AS(
        placed({.variables = std::string("SLURM_JOB_ID=1 SLURM_JOB_NODELIST=node[1-2] SLURM_PROCID=0 ") + bad}),
        UserError);
  CHECK_THROWS_WITH_AS(placed({.variables = "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_STEP_NUM_TASKS=2 "
                                            "SLURM_STEP_NODELIST=n1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_PROCID=1 "
                                            "SLURM_LOCALID=5 SLURM_NODEID=0"}),
                       doctest::Contains("variable SLURM_LOCALID"), UserError);
}

TEST_CASE("row: a plain salloc shell wraps, on whatever host it runs") {
  const std::string salloc =
      "SLURM_JOB_ID=2 SLURM_JOB_NAME=interactive SLURM_JOB_NODELIST=node[1-2] SLURM_TASKS_PER_NODE=3,1 ";
  check_wraps(placed({.variables = salloc + "SLURM_NTASKS=4", .ancestors = {"salloc -N2 -n4"}, .host = "login"}), 4);
  // Even one rank belongs on the allocation's host, not on this one.
  check_wraps(placed({.variables = salloc + "SLURM_NTASKS=1", .host = "login"}), 1);
}

TEST_CASE("row: salloc with an interactive step wraps, inside that step") {
  const std::string variables = batch + "SLURM_STEP_ID=4294967290 SLURM_STEP_NUM_TASKS=1 SLURM_STEP_NODELIST=node1";
  check_wraps(placed({.variables = variables}), 4, true);
  check_wraps(placed({.variables = variables, .ancestors = {"bash", "slurmstepd: [1.interactive]"}}), 4, true);
}

TEST_CASE("row: srun --pty is a step of several tasks") {
  const Placement placement =
      placed({.variables = "SLURM_JOB_ID=4 SLURM_JOB_NODELIST=node1 SLURM_LOCALID=0 SLURM_NODEID=0 SLURM_NTASKS=2 "
                           "SLURM_PROCID=0 SLURM_PTY_PORT=39557 SLURM_STEP_ID=0 SLURM_STEP_NODELIST=node1 "
                           "SLURM_STEP_NUM_TASKS=2 SLURM_STEP_TASKS_PER_NODE=2 SLURM_TASKS_PER_NODE=2"});
  CHECK(placement.mode == PlacementMode::member);
  CHECK(placement.world_size == 2);
}

TEST_CASE("row: variables of a step that submitted this job are none of its own") {
  const std::string counts_differ = batch + "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_STEP_NODELIST=node1";
  check_wraps(placed({.variables = counts_differ}), 4);
  // Equal counts, but the step was on another host.
  const std::string hosts_differ =
      "SLURM_JOB_ID=6 SLURM_JOB_NODELIST=node3 SLURM_NTASKS=2 SLURM_TASKS_PER_NODE=2 SLURM_PROCID=0 "
      "SLURMD_NODENAME=node3 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NODELIST=node[1-2]";
  check_wraps(placed({.variables = hosts_differ}), 2);
  // Equal counts and hosts: only the launching process tells.
  const std::string same =
      "SLURM_JOB_ID=6 SLURM_JOB_NODELIST=node1 SLURM_NTASKS=2 SLURM_TASKS_PER_NODE=2 SLURM_PROCID=0 SLURM_LOCALID=0 "
      "SLURMD_NODENAME=node1 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NODELIST=node1";
  check_wraps(placed({.variables = same, .ancestors = {"/bin/bash script", "slurmstepd: [6.batch]    "}}), 2);
  CHECK(placed({.variables = same, .ancestors = {"slurmstepd: [6.0]    "}}).mode == PlacementMode::member);
  // A task count that came along does not fit this job's tasks per host: world_size counts.
  const std::string count_leaked =
      "SLURM_JOB_ID=6 SLURM_JOB_NODELIST=node[1-2] SLURM_NTASKS=3 SLURM_TASKS_PER_NODE=1(x2) SLURM_PROCID=0 "
      "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=3 SLURM_STEP_NODELIST=node4";
  check_wraps(placed({.variables = count_leaked, .ancestors = {"slurmstepd: [6.batch]"}}, parallel(2)), 2);
}

TEST_CASE("row: under mpirun, Slurm's variables are those of its daemons") {
  const Placement placement =
      placed({.variables = task + "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=0 "
                                  "OMPI_COMM_WORLD_LOCAL_SIZE=1 PMIX_NAMESPACE=77"});
  CHECK(placement.cluster == ClusterName::openmpi);
  CHECK(placement.world_size == 2);
  CHECK(placement.rank == 1);
}

TEST_CASE("srun --mpi=pmi2 sets a global rank that is no local one") {
  const Placement placement = placed({.variables = task + "PMI_RANK=3 PMI_SIZE=4 PMI_FD=11 PMI_JOBID=1.0"});
  CHECK(placement.cluster == ClusterName::slurm);
  CHECK(placement.local_rank == 0);
  CHECK(placed({.variables = task + "PMIX_RANK=3 PMIX_NAMESPACE=slurm.pmix.1.0"}).cluster == ClusterName::slurm);
}

TEST_CASE("one rank in a batch script needs no srun") {
  const std::string one = "SLURM_JOB_ID=1 SLURM_JOB_NODELIST=node1 SLURM_NTASKS=1 SLURM_PROCID=0";
  const Placement placement = placed({.variables = one, .srun = false});
  CHECK(placement.mode == PlacementMode::spawn);
  CHECK(placement.world_size == 1);
}

TEST_CASE("no srun where it is needed") {
  CHECK_THROWS_WITH_AS(placed({.variables = batch, .srun = false}),
                       doctest::Contains("there is no srun on PATH to start 4 ranks"), EnvironmentFault);
}

TEST_CASE("a job that was requeued is another run") {
  CHECK(placed({.variables = task + "SLURM_RESTART_COUNT=2"}).job == "c-1.0-r2");
}

TEST_CASE("what Slurm would never set") {
  CHECK_THROWS_AS(placed({.variables = "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_STEP_NUM_TASKS=2 "
                                       "SLURM_STEP_NODELIST=n1 SLURM_PROCID=2 SLURM_LOCALID=0"}),
                  UserError);
  CHECK_THROWS_AS(placed({.variables = batch + "SLURM_HET_SIZE=2"}), UserError);
}

TEST_CASE("a runner that is not parallel is one rank, and several tasks of it are refused") {
  config::RunnerConfig single;
  CHECK(placed({.variables = batch}, single).mode == PlacementMode::spawn);
  CHECK(placed({.variables = batch}, single).world_size == 1);
  CHECK_THROWS_WITH_AS(placed({.variables = task}, single), doctest::Contains("4 processes were started by slurm"),
                       UserError);
  CHECK_THROWS_AS(
      placed({.variables = "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=0"}, single),
      UserError);
}
