// The run configuration, typed: what `anemoi-inference run` accepts, less what this build refuses by name.
// Built once by the launcher (validated, with file, line and column in every error) and once more by each worker from
// the merged JSON the launcher sends. Plain values, immutable after parsing.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/dates.h"
#include "common/precision.h"

namespace tradewind::config {

using Json = nlohmann::ordered_json;

// Where something stands in the configuration, for complaints that need the checkpoint to be made.
struct Place {
  std::string key;    // dotted
  std::string where;  // file:line:column
};

// ---- inputs -------------------------------------------------------------------------------------------------------
struct NamerRule {
  std::vector<std::pair<std::string, std::string>> match;  // GRIB key -> value, all must be equal
  std::string name;                                        // template with {key}
  bool operator==(const NamerRule&) const = default;
};
struct GribInputConfig {
  std::string path;  // file, folder or glob
  std::vector<NamerRule> namer;
  bool operator==(const GribInputConfig&) const = default;
};
struct DummyInputConfig {
  bool operator==(const DummyInputConfig&) const = default;
};
struct EmptyInputConfig {
  bool operator==(const EmptyInputConfig&) const = default;
};
using InputConfig = std::variant<GribInputConfig, DummyInputConfig, EmptyInputConfig>;

// ---- outputs ------------------------------------------------------------------------------------------------------
// An entry is a glob on the variable's name, or a map of MARS keys of which all must match.
struct VariablePattern {
  std::string glob;
  std::map<std::string, std::vector<std::string>> mars;
  Place at;
};
struct VariableSelection {
  bool drop = false;  // false: keep what matches; true: keep what does not
  std::vector<VariablePattern> patterns;
  Place at;
};

struct InputTemplates {
  std::map<std::string, std::string> fallback;  // variable -> variable whose message serves
  std::map<std::string, Place> fallback_at;     // of each variable
};
struct BuiltinTemplates {};
struct FileTemplates {
  std::string path;
  std::string mode = "first";  // first, last, auto
  std::optional<std::vector<std::string>> variables;
  Place variables_at;
};
struct SampleTemplates {
  std::vector<std::pair<Json, std::string>> rules;  // match -> path, which may hold {key}
  std::string index;                                // or a YAML file with those rules
};
using TemplateConfig = std::variant<InputTemplates, BuiltinTemplates, FileTemplates, SampleTemplates>;

struct OutputCommon {
  std::optional<VariableSelection> variables;
  std::optional<Duration> output_frequency;
  Place output_frequency_at;
  std::optional<bool> write_initial_state;
};
// Output `parallel`: so many files, FILE_w<i>. Chunks of a state's fields go to them in turn: by default one each, of
// equal size; else of fields_per_chunk.
struct ParallelWriters {
  int count = 1;
  std::optional<int> fields_per_chunk;
};
struct GribOutputConfig {
  OutputCommon common;
  std::optional<ParallelWriters> writers;
  std::string path;                                               // {key[:format]} per message
  Json encoding = Json::object();                                 // GRIB keys for every message
  std::vector<TemplateConfig> templates;                          // empty: input, then builtin
  Json grib1_keys = Json::object(), grib2_keys = Json::object();  // param -> keys
  bool check_encoding = true;
  bool split_output = true;
  std::string negative_step_mode = "error";  // error, write, skip
  double missing_value = -9999;
};
struct PrinterOutputConfig {
  OutputCommon common;
  std::optional<std::string> path;  // default: standard output
  int max_lines = 4;
};
struct NoOutputConfig {};
using OutputConfig = std::variant<GribOutputConfig, PrinterOutputConfig, NoOutputConfig>;

// ---- post-processors ----------------------------------------------------------------------------------------------
struct AccumulateFromStart {
  std::optional<std::vector<std::string>> accumulations;  // default: every variable whose process is accumulation
  bool allow_negative = false;
  Place at;
  std::vector<Place> accumulations_at;  // of each of them
};
using PostProcessorConfig = std::variant<AccumulateFromStart>;

// ---- runner and cluster -------------------------------------------------------------------------------------------
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

struct RunConfig {
  std::string checkpoint;
  RunnerConfig runner;
  std::optional<Time> date;
  Duration lead_time = std::chrono::hours(240);
  std::string description, name;
  int verbosity = 0;
  InputConfig input;
  std::optional<InputConfig> constant_forcings, dynamic_forcings;  // default: input
  OutputConfig output;
  std::vector<PostProcessorConfig> post_processors;
  std::optional<std::string> device;   // cpu, cuda, cuda:N; default: cuda when it is there
  std::optional<Precision> precision;  // default: the checkpoint's
  std::optional<std::int64_t> seed;
  std::optional<bool> allow_nans;
  bool write_initial_state = true;
  std::vector<std::string> initial_state_categories = {"prognostics", "constant_forcings"};
  std::optional<Duration> output_frequency;
  Json typed_variables = Json::object();
  Json patch_metadata = Json::object();
  std::map<std::string, std::string> env;
  std::optional<std::string> dataset;  // the dataset's name where the config gives parts per dataset
};

}  // namespace tradewind::config
