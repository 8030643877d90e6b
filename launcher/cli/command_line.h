// The command line of `tradewind`, typed. Pure. Errors: UserError with the nearest known command or option.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "launcher/progress/verbosity.h"
#include "launcher/watch/settings.h"

namespace tradewind::launcher {

struct RunCommand {
  std::string config;                  // a file, or an override when it holds `=`
  std::vector<std::string> overrides;  // key=value
  std::vector<std::string> defaults;   // files merged under the config
  std::string run_folder, report;      // empty: not given
  std::string interface;               // network interface for the ranks; empty: not given
  std::string srun_args;               // options for srun, as one text
  int restarts = 0;                    // at most so many
  bool verify = false;                 // the checkpoint's checksums before anything starts
  bool check = false;                  // start nothing
  bool json = false;                   // mistakes, for programs
  WatchSettings watch;
  Verbosity verbosity = Verbosity::normal;
};
struct ExecCommand {
  std::vector<std::string> program;  // name and arguments
  std::optional<int> world_size;     // nothing: what the surroundings say, else one
  std::string run_folder, report;    // empty: not given
  std::string interface, srun_args;  // as in RunCommand
  int restarts = 0;                  // at most so many
  bool python = true;                // Python processes answer the watch
  bool own_cpus = false;             // each rank is pinned to its share of the CPUs
  bool own_gpu = false;              // each rank sees one GPU only
  bool json = false;                 // mistakes, for programs
  WatchSettings watch{.mode = HangMode::observe};
  Verbosity verbosity = Verbosity::normal;
};
struct StatusCommand {
  std::string run;  // a run folder, or a job; empty: the newest here
  bool json = false;
};
struct DiagnoseCommand {
  std::string folder;
  bool json = false;
};
struct DrillCommand {
  std::string fault, config, run_folder;  // empty: list the faults; the example; tradewind-drill-FAULT
  int world_size = 4, rank = 1, step = 3;
  WatchSettings watch;
  Verbosity verbosity = Verbosity::normal;
};
struct InspectCommand {
  std::string checkpoint, config;  // config: empty when there is none
  bool json = false;
  int world_size = 1;
  bool verify = false;
};
struct PredictCommand {
  std::string checkpoint, input, output;
  std::string precision;  // empty: f32
  std::string device;     // empty: a CUDA device when there is one
  int world_size = 1;
  std::string report;
  Verbosity verbosity = Verbosity::normal;
};
struct RetrieveCommand {
  std::string config;  // as in RunCommand
  std::vector<std::string> overrides, defaults;
  std::string date, staging_dates;  // a start, or a file with one on each line
  bool forecast_dates = false;      // of every step, too
  std::vector<std::string> include, exclude, extra;
  std::string input_type = "default-input";
  std::string dataset;  // empty: the first
  bool use_scda = false, use_grib_paramid = false;
  bool mars = false;  // in MARS language, else JSON
  std::string target = "input.grib", verb = "retrieve";
  std::string output;  // empty: standard output
};
struct ServeCommand {
  std::string checkpoint;
  std::string folder;     // of token and socket
  std::string precision;  // empty: f32
  std::string device;     // empty: a CUDA device when there is one
  int world_size = 1;
  int idle = 600;  // seconds
  Verbosity verbosity = Verbosity::normal;
};
struct ClusterCommand {
  std::string config;  // as in RunCommand; empty: none
  std::vector<std::string> overrides, defaults;
  std::string srun_args;
  bool json = false;
};
struct CompareCommand {
  std::vector<std::string> arguments;  // the worker's, as they are
};
struct ShowText {
  std::string text;
};
struct AgentCommand {};  // not for users: `tradewind run` has srun start it
using Command =
    std::variant<RunCommand, ExecCommand, InspectCommand, PredictCommand, ServeCommand, RetrieveCommand, ClusterCommand,
                 CompareCommand, StatusCommand, DiagnoseCommand, DrillCommand, AgentCommand, ShowText>;

// `arguments` without the program's name. Options may stand anywhere, before the command too.
Command parse_command_line(const std::vector<std::string>& arguments);

}  // namespace tradewind::launcher
