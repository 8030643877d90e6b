// Post-processors, runners and clusters: every option and every refusal, with its place.
#include <cmath>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("post-processors") {
  const ConfigCase test;
  const auto plain = test.run("post_processors: [accumulate_from_start_of_forecast]").post_processors;
  REQUIRE(plain.size() == 1);
  CHECK(!std::get<AccumulateFromStart>(plain[0]).accumulations);
  CHECK(!std::get<AccumulateFromStart>(plain[0]).allow_negative);
  const auto given = test.run(
                             "post_processors: [{accumulate-from-start-of-forecast: {accumulations: [tp, cp], "
                             "allow_negative: true}}]")
                         .post_processors;
  CHECK(std::get<AccumulateFromStart>(given.at(0)).accumulations == std::vector<std::string>{"tp", "cp"});
  CHECK(std::get<AccumulateFromStart>(given.at(0)).allow_negative);
  check_refused({
      {"post_processors: [{extract_from_state: lam}]",
       "post-processor 'extract_from_state' is not supported by this build", 3, 20,
       "accumulate_from_start_of_forecast"},
      {"post_processors: [accumulate_from_start_of_forcast]",
       "unknown post-processor 'accumulate_from_start_of_forcast'", 3, 19, "did you mean"},
      {"post_processors: {data: []}", "`post_processors` must be a list, not a map", 3, 18, "["},
      {"post_processors: [1]", "`post_processors.0` must be a name or a map of one name, not the integer 1", 3, 19, ""},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulation: [tp]}}]",
       "unknown key `post_processors.0.accumulate_from_start_of_forecast.accumulation`", 3, 56, "`accumulations`"},
      {"post_processors: [{accumulate_from_start_of_forecast: {accumulations: tp}}]",
       "`post_processors.0.accumulate_from_start_of_forecast.accumulations` must be a list, not the text 'tp'", 3, 71,
       "["},
  });
}

TEST_CASE("slices") {
  const ConfigCase test;
  const auto slice = [&](const std::string& argument) {
    return std::get<ExtractSlice>(
        test.run("post_processors: [{extract_slice: " + argument + "}]").post_processors.at(0));
  };
  CHECK(slice("7").stop == 7);
  CHECK_FALSE(slice("[7]").start);
  CHECK(slice("[2, 7]").start == 2);
  CHECK_FALSE(slice("[-2, null]").stop);
  CHECK(slice("[0, 100, 4]").step == 4);
  check_refused({
      {"post_processors: [extract_slice]", "`post_processors.0.extract_slice` takes one to three numbers, not null", 3,
       19, "[start, stop]"},
      {"post_processors: [{extract_slice: [1, 2, 3, 4]}]",
       "`post_processors.0.extract_slice` takes one to three numbers, not a list", 3, 20, "[start, stop]"},
      {"post_processors: [{extract_slice: [1, b]}]",
       "`post_processors.0.extract_slice.1` must be an integer, not the text 'b'", 3, 39, "whole"},
      {"post_processors: [{extract_slice: [9, 1, -1]}]",
       "`post_processors.0.extract_slice` has the step -1, it must be 1 or more", 3, 42, "positive"},
  });
}

TEST_CASE("masks") {
  const ConfigCase test;
  const auto filters =
      test.run(
              "post_processors: [{extract-mask: m.npy}, {extract_mask: {mask: lam/cutout_mask, as_slice: true, "
              "inverse: yes}}, {assign_mask: {mask: w.npy, fill_value: -1}}, {assign_mask: w.npy}]")
          .post_processors;
  REQUIRE(filters.size() == 4);
  CHECK(std::get<ExtractMask>(filters[0]).mask == "m.npy");
  CHECK_FALSE(std::get<ExtractMask>(filters[0]).inverse);
  CHECK(std::get<ExtractMask>(filters[1]).as_slice);
  CHECK(std::get<ExtractMask>(filters[1]).inverse);
  CHECK(std::get<AssignMask>(filters[2]).fill_value == -1);
  CHECK(std::isnan(std::get<AssignMask>(filters[3]).fill_value));
  check_refused({
      {"post_processors: [extract_mask]", "`post_processors.0.extract_mask.mask` is missing", 3, 19, "FILE.npy"},
      {"post_processors: [{assign_mask: {mask: [1]}}]", "`post_processors.0.assign_mask.mask` must be text, not a list",
       3, 40, "text"},
  });
}

TEST_CASE("runners") {
  const ConfigCase test;
  for (const char* text : {"forecaster", "default", "offset-forecaster", "offset_forecaster", "{default: {}}"}) {
    const std::string shown(text);
    CAPTURE(shown);
    CHECK(test.run("runner: " + std::string(text)).runner.name == "forecaster");
  }
  CHECK(test.run("runner: auto").runner.name == "auto");
  CHECK(test.run("runner: no_model").runner.name == "no-model");
  CHECK(test.run("runner: temporal-downscaler").runner.name == "temporal_downscaler");
  check_refused({
      {"runner: simple", "runner 'simple' is not supported by this build", 3, 9, "forecaster"},
      {"runner: {external-graph: {graph: x}}", "runner 'external-graph' is not supported by this build", 3, 10, "auto"},
      {"runner: forcaster", "unknown runner 'forcaster'", 3, 9, "did you mean 'forecaster'?"},
      {"runner: null", "`runner` must be a name or a map of one name, not null", 3, 9, ""},
      {"runner: {default: {x: 1}}", "unknown key `runner.default.x`", 3, 20, "nothing can be set"},
      {"runner: {parallel: {base_runner: parallel}}", "the base runner of `parallel` cannot be parallel itself", 3, 34,
       "default"},
      {"runner: {parallel: {base_runner: simple}}", "runner 'simple' is not supported by this build", 3, 34, "auto"},
      {"runner: {parallel: {clutser: slurm}}", "unknown key `runner.parallel.clutser`", 3, 21, "`cluster`"},
      {"runner: {parallel: {world_size: 4}}", "unknown key `runner.parallel.world_size`", 3, 33,
       "cluster: {manual: 4}"},
  });
}

TEST_CASE("both spellings of the parallel runner") {
  const ConfigCase test;
  const RunnerConfig first = test.run("runner: parallel\nworld_size: 4").runner;
  CHECK(first.parallel);
  CHECK(first.name == "auto");
  CHECK(first.world_size == 4);
  CHECK(first.cluster.kind == ClusterKind::automatic);

  const RunnerConfig second =
      test.run("runner: {parallel: {base_runner: no-model, cluster: {manual: {world_size: 2, port: 29511}}}}").runner;
  CHECK(second.parallel);
  CHECK(second.name == "no-model");
  CHECK(!second.world_size);
  CHECK(second.cluster.kind == ClusterKind::manual);
  CHECK(second.cluster.world_size == 2);
  CHECK(second.cluster.port == 29511);

  CHECK(test.run("runner: {parallel: default}").runner.name == "forecaster");
  CHECK(test.run("runner: {parallel: {cluster: {manual: 3}}}").runner.cluster.world_size == 3);
  CHECK(test.run("runner: {parallel: {cluster: {manual: '3'}}}").runner.cluster.world_size == 3);
  CHECK(test.run("runner: {parallel: {cluster: slurm}}").runner.cluster.kind == ClusterKind::slurm);
  CHECK(test.run("runner: {parallel: {cluster: {mpi: {}}}}").runner.cluster.kind == ClusterKind::mpi);
  CHECK(test.run("runner: {parallel: {cluster: distributed}}").runner.cluster.kind == ClusterKind::distributed);
  CHECK(test.run("runner: {parallel: {cluster: {}}}").runner.cluster.kind == ClusterKind::automatic);
  CHECK(test.run("runner: parallel\ncluster: {manual: 2}").runner.cluster.world_size == 2);
  const auto custom = test.run(
                              "runner: {parallel: {cluster: {custom: {local_rank: L, global_rank: [G, H], "
                              "world_size: W, master_addr: A, master_port: P}}}}")
                          .runner.cluster;
  CHECK(custom.kind == ClusterKind::custom);
  CHECK(custom.mapping.at("global_rank") == "G,H");
  CHECK(custom.mapping.at("master_port") == "P");
  check_refused({
      {"world_size: 4", "`world_size` needs a parallel runner, but `runner` is auto", 3, 13, "runner: parallel"},
      {"cluster: slurm", "`cluster` needs a parallel runner, but `runner` is auto", 3, 10, "runner: parallel"},
      {"runner: parallel\nworld_size: 0", "`world_size` is 0, it must be 1 or more", 4, 13, "from 1 on"},
      {"runner: parallel\nworld_size: many", "`world_size` must be an integer, not the text 'many'", 4, 13, "whole"},
      {"runner: {parallel: {cluster: {manual: 2}}}\nworld_size: 4", "`world_size` is 4, but the cluster says 2", 4, 13,
       "keep one"},
      {"runner: {parallel: {cluster: slurm}}\ncluster: mpi", "`cluster` is given twice, here and in `runner.parallel`",
       4, 10, "keep one"},
      {"runner: {parallel: {cluster: manual}}", "`runner.parallel.cluster.manual.world_size` is missing", 3, 30,
       "manual: 4"},
      {"runner: {parallel: {cluster: {manual: {world_size: 2, port: 70000}}}}",
       "`runner.parallel.cluster.manual.port` is 70000, it must be from 1 to 65535", 3, 61, "range"},
      {"runner: {parallel: {cluster: lsf}}", "unknown cluster 'lsf'", 3, 30, "slurm"},
      {"runner: {parallel: {cluster: {mpi: {use_mpi_backend: true}}}}",
       "`runner.parallel.cluster.mpi.use_mpi_backend` is not supported by this build", 3, 37, "NCCL"},
      {"runner: {parallel: {cluster: {custom: {local_rank: L}}}}",
       "`runner.parallel.cluster.custom.global_rank` is missing", 3, 31, "environment variable"},
  });
}

TEST_CASE("with plugins, unknown runners and their options are left to the run") {
  ConfigCase test;
  test.environment.set("TRADEWIND_PLUGINS", "libmine.so");
  const RunnerConfig alone = test.run("runner: {mine: {speed: 2}}").runner;
  CHECK(alone.name == "mine");
  CHECK(alone.base_options.dump() == R"({"speed":2})");
  const RunnerConfig base = test.run("runner: {parallel: {base_runner: mine, speed: 2, cluster: {manual: 2}}}").runner;
  CHECK(base.parallel);
  CHECK(base.name == "mine");
  CHECK(base.base_options.dump() == R"({"speed":2})");
}

}  // namespace tradewind::config
