#include <doctest/doctest.h>

#include <algorithm>

#include "common/errors.h"
#include "launcher/clusters/registry.h"
#include "tests/unit/clusters/surroundings.h"

using namespace tradewind;
using namespace tradewind::test;
using config::ClusterKind;

namespace {

config::RunnerConfig manual(int ranks) {
  config::RunnerConfig runner = with_cluster(ClusterKind::manual);
  runner.cluster.world_size = ranks;
  return runner;
}

const std::string two_tasks =
    "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_LOCALID=1 SLURM_NTASKS=2 SLURM_STEP_NUM_TASKS=2 "
    "SLURM_STEP_NODELIST=node1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0";

}  // namespace

TEST_CASE("asked in the order of their priorities") {
  const auto& all = clusters();
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const Cluster& a, const Cluster& b) { return a.priority > b.priority; }));
  CHECK(all.back().name == ClusterName::local);
}

TEST_CASE("on a host by itself") {
  CHECK(placed({}, parallel(3)).world_size == 3);
  CHECK(placed({}, parallel(3)).mode == PlacementMode::spawn);
  CHECK(placed({}).world_size == 1);
  CHECK(placed({.gpus = 4}).world_size == 1);  // on the CPU
  CHECK(placed({}, manual(2)).world_size == 2);
  CHECK(placed({}).decided_by.empty());
}

TEST_CASE("a rank needs a GPU of its own") {
  CHECK(placed({.gpus = 4}, parallel(), true).world_size == 4);
  CHECK(placed({.gpus = 4}, parallel(2), true).world_size == 2);
  CHECK_THROWS_WITH_AS(placed({.gpus = 2}, parallel(3), true),
                       "world_size: 3 ranks on 2 visible GPUs\n"
                       "  remedy: start at most one rank per GPU: world_size=2, or use more hosts",
                       UserError);
  CHECK_THROWS_WITH_AS(placed({.gpus = 1}, manual(2), true),
                       doctest::Contains("cluster.manual: 2 ranks on 1 visible GPU\n"), UserError);
  CHECK_THROWS_WITH_AS(placed({}, parallel(), true), doctest::Contains("no GPU is visible here"), UserError);
}

TEST_CASE("MASTER_ADDR and MASTER_PORT, each alone too") {
  CHECK(placed({.variables = "MASTER_ADDR=10.0.0.1"}, parallel(2)).master_address == "10.0.0.1");
  CHECK(placed({.variables = "MASTER_ADDR=10.0.0.1"}, parallel(2)).master_port == 0);
  CHECK(placed({.variables = "MASTER_PORT=29500"}, parallel(2)).master_port == 29500);
  CHECK(placed({.variables = two_tasks + " MASTER_PORT=29500"}).master_port == 29500);
  CHECK(decided_by(placed({.variables = "MASTER_PORT=29500"}, parallel(2)), "MASTER_PORT"));
  CHECK(placed({.variables = "MASTER_PORT=29500"}, parallel(1)).master_port == 0);  // nobody to meet
  for (const char* bad : {"MASTER_PORT=0", "MASTER_PORT=65536", "MASTER_PORT=http"})
    CHECK_THROWS_AS(placed({.variables = bad}, parallel(2)), UserError);
  config::RunnerConfig runner = manual(2);
  runner.cluster.port = 1234;
  CHECK(placed({}, runner).master_port == 1234);
  CHECK(placed({.variables = "MASTER_PORT=29500"}, runner).master_port == 29500);
}

TEST_CASE("the configuration's cluster decides, and must be there") {
  CHECK(placed({.variables = two_tasks}, with_cluster(ClusterKind::slurm)).rank == 1);
  CHECK_THROWS_WITH_AS(placed({}, with_cluster(ClusterKind::slurm)),
                       "node1: `cluster: slurm`, but these variables are not set: SLURM_JOB_ID\n"
                       "  remedy: start tradewind under it, or leave `cluster` out: the surroundings decide then",
                       UserError);
  CHECK_THROWS_WITH_AS(placed({.variables = two_tasks}, with_cluster(ClusterKind::mpi)),
                       doctest::Contains("OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE; PMI_RANK, PMI_SIZE; PMIX_RANK"),
                       UserError);
  CHECK_THROWS_WITH_AS(placed({}, with_cluster(ClusterKind::distributed)), doctest::Contains("RANK, WORLD_SIZE"),
                       UserError);
  // Slurm although torchrun's variables are there.
  CHECK(placed({.variables = two_tasks + " RANK=0 WORLD_SIZE=8 LOCAL_RANK=0"}, with_cluster(ClusterKind::slurm))
            .world_size == 2);
}

TEST_CASE("ranks that each process would start once more are refused") {
  CHECK_THROWS_WITH_AS(placed({.variables = two_tasks}, manual(4)),
                       doctest::Contains("2 processes were started by slurm, and each would start 4 ranks"), UserError);
}

TEST_CASE("variables of one's own") {
  config::RunnerConfig runner = with_cluster(ClusterKind::custom);
  runner.cluster.mapping = {{"local_rank", "MY_LOCAL"},
                            {"global_rank", "NOT_THERE,MY_RANK"},
                            {"world_size", "MY_SIZE"},
                            {"master_addr", "MY_HOST"},
                            {"master_port", "MY_PORT"}};
  const std::string mine = "MY_LOCAL=0 MY_RANK=1 MY_SIZE=2 MY_HOST=h MY_PORT=77 ";
  const Placement placement = placed({.variables = mine + "MASTER_PORT=5"}, runner);
  CHECK(placement.cluster == ClusterName::custom);
  CHECK(placement.rank == 1);
  CHECK(placement.world_size == 2);
  CHECK(placement.master_address == "h");
  CHECK(placement.master_port == 77);
  CHECK_THROWS_WITH_AS(placed({.variables = "MY_LOCAL=0 MY_SIZE=2 MY_HOST=h MY_PORT=77"}, runner),
                       "cluster.custom.global_rank: not set: NOT_THERE, MY_RANK\n"
                       "  remedy: set the variable, or name the one that holds the value",
                       UserError);
  runner.cluster.mapping["init_method"] = "env://";
  CHECK(placed({.variables = mine}, runner).rank == 1);
  runner.cluster.mapping["init_method"] = "file:///tmp/x";
  CHECK_THROWS_AS(placed({.variables = mine}, runner), UserError);
}
