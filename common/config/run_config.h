// The run configuration, typed: what `anemoi-inference run` accepts, less what this build refuses by name.
// Built once by the launcher (validated, with file, line and column in every error) and once more by each worker from
// the merged JSON the launcher sends. Plain values, immutable after parsing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/filters/filters.h"
#include "common/config/inputs/inputs.h"
#include "common/config/outputs/outputs.h"
#include "common/dates.h"
#include "common/precision.h"
#include "common/sampling/sampling.h"

namespace tradewind::config {

enum class ClusterKind { automatic, manual, slurm, mpi, distributed, custom };
struct ClusterConfig {
  ClusterKind kind = ClusterKind::automatic;
  std::optional<int> world_size;               // manual
  std::optional<int> port;                     // manual
  std::map<std::string, std::string> mapping;  // custom: local_rank, global_rank, world_size, master_addr,
                                               // master_port -> variables, by comma, of which the first set one counts
};
struct RunnerConfig {
  std::string name = "auto";  // auto, forecaster, no-model or a plugin's; with parallel: the base runner
  bool parallel = false;
  std::optional<int> world_size;  // top-level `world_size`, with `runner: parallel`
  ClusterConfig cluster;
  Json base_options = Json::object();  // options of the base runner
};

// What is given for a dataset by its name, in place of what is given for all.
struct DatasetParts {
  std::optional<InputConfig> input, constant_forcings, dynamic_forcings;
  std::optional<OutputConfig> output;
};

struct RunConfig {
  std::string checkpoint;
  RunnerConfig runner;
  std::optional<Time> date;
  Duration lead_time = std::chrono::hours(240);
  std::string description, name;
  int verbosity = 0;
  InputConfig input;                                               // these four for datasets without their own
  std::optional<InputConfig> constant_forcings, dynamic_forcings;  // default: input
  OutputConfig output;
  std::vector<FilterConfig> post_processors;  // they see every state
  std::vector<PreProcessor> pre_processors;   // of every input, after its own
  std::optional<std::string> device;          // cpu, cuda, cuda:N; default: cuda when it is there
  std::optional<Precision> precision;         // default: the checkpoint's
  std::optional<std::int64_t> seed;
  sampling::Choice sampling;  // of a transport model, beside the checkpoint's
  std::optional<bool> allow_nans;
  bool write_initial_state = true;
  std::vector<std::string> initial_state_categories = {"prognostics", "constant_forcings"};
  std::optional<Duration> output_frequency;
  Json typed_variables = Json::object();
  Json patch_metadata = Json::object();
  std::map<std::string, std::string> env;
  std::map<std::string, DatasetParts> datasets;  // by name, where the config gives parts by name
};

// The configuration as it is for one dataset: with the parts that are its own.
RunConfig for_dataset(const RunConfig& config, const std::string& dataset);
// For each that it names; as it is when it names none.
std::vector<RunConfig> by_dataset(const RunConfig& config);

}  // namespace tradewind::config
