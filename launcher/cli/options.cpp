#include "launcher/cli/options.h"

#include <CLI/CLI.hpp>

#include "common/device_name.h"
#include "common/precision.h"

namespace tradewind::launcher {
namespace {

void add_verbosity(CLI::App& app, Verbosity& verbosity) {
  app.add_flag_callback(
      "--verbose", [&verbosity] { verbosity = Verbosity::verbose; }, "say more");
  app.add_flag_callback(
      "--quiet", [&verbosity] { verbosity = Verbosity::quiet; }, "only warnings and errors");
}

void add_watch(CLI::App& app, WatchSettings& watch, const std::string& usual = "stop") {
  app.add_option_function<std::string>(
         "--hang",
         [&watch](const std::string& mode) {
           watch.mode = mode == "off" ? HangMode::off : mode == "observe" ? HangMode::observe : HangMode::stop;
         },
         "what a run that does not get on comes to: stop, observe or off [" + usual + "]")
      ->option_text("MODE")
      ->check(CLI::IsMember({"stop", "observe", "off"}));
  app.add_option("--hang-after", watch.hang_after, "seconds without progress that make a hang [learned from the run]")
      ->option_text("SECONDS")
      ->check(CLI::PositiveNumber);
}

// What an unset variable of a script leaves would else count as not given.
std::string not_empty(const std::string& text) { return text.empty() ? "it is empty" : ""; }

}  // namespace

CLI::App* add_run(CLI::App& app, RunCommand& run, std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand("run", "run the forecast that a config describes");
  sub->add_option("config", words, "the config.yaml, then overrides: key=value")
      ->option_text("CONFIG [KEY=VALUE...]")
      ->required();
  sub->add_option("--defaults", run.defaults, "a config merged under CONFIG; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
  sub->add_option("--run-dir", run.run_folder, "run folder [tradewind-run-<time> beside CONFIG]")
      ->option_text("DIR")
      ->check(not_empty);
  sub->add_option("--report", run.report, "write the report there too")->option_text("FILE")->check(not_empty);
  add_watch(*sub, run.watch);
  sub->add_option("--interface", run.interface, "network interface for the ranks [the one that reaches them]")
      ->option_text("NAME");
  sub->add_option("--srun-args", run.srun_args, "further options for srun, where it starts the ranks")
      ->option_text("'OPTIONS'");
  sub->add_option("--restart", run.restarts,
                  "start again up to N times when a rank is ended by a signal or a host is lost, from the last step on "
                  "disk [0]")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  sub->add_flag("--verify", run.verify, "check the checkpoint's checksums before anything starts, not beside it");
  sub->add_flag("--check", run.check, "say what stands in the way of the run, and start nothing");
  sub->add_flag("--json", run.json, "mistakes for programs, too: on standard output");
  add_verbosity(*sub, run.verbosity);
  return sub;
}

CLI::App* add_exec(CLI::App& app, ExecCommand& exec) {
  CLI::App* sub = app.add_subcommand("exec", "start any program of ranks, and watch over it");
  sub->footer("tradewind exec [OPTIONS] -- PROGRAM [ARGUMENTS...]: what stands after `--` is the program's.");
  sub->add_option("--world-size", exec.world_size, "number of ranks [what Slurm, MPI or torchrun say; else 1]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  sub->add_option("--run-dir", exec.run_folder, "run folder [tradewind-run-<time> here]")
      ->option_text("DIR")
      ->check(not_empty);
  sub->add_option("--report", exec.report, "write the report there too")->option_text("FILE")->check(not_empty);
  add_watch(*sub, exec.watch, "observe");
  sub->add_option("--interface", exec.interface, "network interface for the ranks [the one that reaches them]")
      ->option_text("NAME");
  sub->add_option("--srun-args", exec.srun_args, "further options for srun, where it starts the ranks")
      ->option_text("'OPTIONS'");
  sub->add_option("--restart", exec.restarts,
                  "start the program again up to N times when a rank is ended by a signal or a host is lost [0]")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  sub->add_flag("--own-cpus", exec.own_cpus, "pin each rank to CPUs of its own");
  sub->add_flag("--own-gpu", exec.own_gpu, "each rank sees one GPU only, the one of its local rank");
  sub->add_flag_callback(
      "--no-python", [&exec] { exec.python = false; },
      "add no sitecustomize to Python processes: the watch then has no frames of theirs");
  sub->add_flag("--json", exec.json, "mistakes for programs, too: on standard output");
  add_verbosity(*sub, exec.verbosity);
  return sub;
}

CLI::App* add_cluster(CLI::App& app, ClusterCommand& cluster, std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand("cluster", "say where ranks would come from here, and start none");
  sub->add_option("config", words, "as for run; without it: a parallel run")->option_text("[CONFIG [KEY=VALUE...]]");
  sub->add_option("--defaults", cluster.defaults, "a config merged under CONFIG; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
  sub->add_option("--srun-args", cluster.srun_args, "as for run")->option_text("'OPTIONS'");
  sub->add_flag("--json", cluster.json, "for programs");
  return sub;
}

CLI::App* add_inspect(CLI::App& app, InspectCommand& inspect) {
  CLI::App* sub = app.add_subcommand("inspect", "say what a checkpoint holds, and whether it runs here");
  sub->add_option("checkpoint", inspect.checkpoint)->option_text("CHECKPOINT")->required();
  sub->add_flag("--json", inspect.json, "for programs");
  sub->add_flag("--verify", inspect.verify, "check the checksums of everything in it, too");
  sub->add_option("--world-size", inspect.world_size, "memory for that many ranks [1]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  sub->add_option("--config", inspect.config,
                  "a config: say which filters it has, and take its sampler, precision and metadata")
      ->option_text("CONFIG")
      ->check(not_empty);
  return sub;
}

namespace {

// How a model is run without a configuration.
template <typename C>
void add_model_options(CLI::App& sub, C& command) {
  sub.add_option("--world-size", command.world_size, "number of ranks [1]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  sub.add_option("--precision", command.precision, "f32, f16 or bf16 [f32]")
      ->option_text("P")
      ->check([](const std::string& text) {
        return precision_of(text) ? std::string() : "'" + text + "' is no precision: give f32, f16 or bf16";
      });
  sub.add_option("--device", command.device, "cpu, cuda or cuda:N [cuda when there is one]")
      ->option_text("D")
      ->check([](const std::string& text) {
        return device_name_of(text) ? std::string() : "'" + text + "' is no device: give cpu, cuda or cuda:N";
      });
}

}  // namespace

CLI::App* add_predict(CLI::App& app, PredictCommand& predict) {
  CLI::App* sub = app.add_subcommand("predict", "one model call on raw tensors: reads x, writes y");
  sub->add_option("checkpoint", predict.checkpoint)->option_text("CHECKPOINT")->required();
  sub->add_option("input", predict.input, "x (batch, time, grid, variables)")->option_text("IN.npz")->required();
  sub->add_option("output", predict.output, "y")->option_text("OUT.npz")->required();
  add_model_options(*sub, predict);
  sub->add_option("--report", predict.report, "write the report there")->option_text("FILE")->check(not_empty);
  add_verbosity(*sub, predict.verbosity);
  return sub;
}

CLI::App* add_retrieve(CLI::App& app, RetrieveCommand& retrieve, std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand("retrieve", "print the requests that bring what a forecast needs");
  sub->add_option("config", words, "as for run")->option_text("CONFIG [KEY=VALUE...]")->required();
  const auto texts = [sub](const char* name, std::vector<std::string>& values, const char* about) {
    return sub->add_option(name, values, about)->allow_extra_args(false);
  };
  texts("--defaults", retrieve.defaults, "a config merged under CONFIG; repeatable")->option_text("FILE");
  sub->add_option("--date", retrieve.date, "start of the forecast [the config's]")->option_text("DATE");
  sub->add_option("--staging-dates", retrieve.staging_dates, "a file with a start on each line")->option_text("FILE");
  sub->add_flag("--forecast-dates", retrieve.forecast_dates, "the dates of every step, too (for forcings)");
  sub->add_flag("--mars", retrieve.mars, "in MARS language, not JSON");
  sub->add_option("--target", retrieve.target, "the requests' target [input.grib]")->option_text("FILE");
  sub->add_option("--verb", retrieve.verb, "the requests' verb [retrieve]")->option_text("WORD");
  texts("--extra", retrieve.extra, "a further key of every request; repeatable")->option_text("KEY=VALUE");
  sub->add_option("--input-type", retrieve.input_type,
                  "constant-forcings, default-input, dynamic-forcings or prognostics [default-input]")
      ->option_text("TYPE");
  texts("--include", retrieve.include, "kinds of variables beside those of the type, such as constant+forcing")
      ->option_text("KIND,...")
      ->delimiter(',');
  texts("--exclude", retrieve.exclude, "kinds of variables that are left out")->option_text("KIND,...")->delimiter(',');
  sub->add_flag("--use-scda", retrieve.use_scda, "stream scda for 06 and 18 UTC");
  sub->add_flag("--use-grib-paramid,--dont-fail-for-missing-paramid", retrieve.use_grib_paramid,
                "refused: MARS takes names");
  sub->add_option("--dataset-name", retrieve.dataset, "of a checkpoint with several datasets [the first]")
      ->option_text("NAME");
  sub->add_option("--output", retrieve.output, "write them there [standard output]")->option_text("FILE");
  return sub;
}

CLI::App* add_serve(CLI::App& app, ServeCommand& serve) {
  CLI::App* sub = app.add_subcommand("serve", "keep a model loaded, for a client on this host");
  sub->add_option("checkpoint", serve.checkpoint)->option_text("CHECKPOINT")->required();
  sub->add_option("folder", serve.folder, "a folder of your own, in which the client finds token and socket")
      ->option_text("FOLDER")
      ->required()
      ->check(not_empty);
  add_model_options(*sub, serve);
  sub->add_option("--idle", serve.idle, "seconds without a request after which it ends [600]")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 1000000));
  add_verbosity(*sub, serve.verbosity);
  return sub;
}

CLI::App* add_compare(CLI::App& app, CompareWords& words) {
  CLI::App* sub = app.add_subcommand("compare", "do two GRIB files hold the same forecast; how good is it");
  sub->add_option("a", words.value, "a forecast")->option_text("A.grib")->required();
  sub->add_option("b", words.value, "what it should be")->option_text("B.grib")->required();
  sub->add_flag("--json", words.flag, "for programs");
  const auto add_word = [&](const char* name, const char* value, const char* about) {
    sub->add_option(name, words.value, about)->option_text(value);
  };
  add_word("--tolerance", "T", "largest difference, of the standard deviation of B's field [1e-4]");
  sub->add_flag("--scores", words.flag, "only scores: B is the truth, not the same forecast");
  add_word("--steps", "24h,5d", "lead times to score [all]");
  add_word("--climatology", "C", "what anomalies are counted from: zonal-mean or mean [zonal-mean]");
  add_word("--persistence", "FILE", "file whose fields at B's base date are scored as a forecast too");
  return sub;
}

CLI::App* add_status(CLI::App& app, StatusCommand& status) {
  CLI::App* sub = app.add_subcommand("status", "how a running job gets on, rank by rank");
  sub->add_option("run", status.run,
                  "a run folder, a configuration with runs beside it, or a job [the newest run here]")
      ->option_text("[RUN_DIR | CONFIG | SLURM_JOB]");
  sub->add_flag("--json", status.json, "once, for programs");
  return sub;
}

CLI::App* add_diagnose(CLI::App& app, DiagnoseCommand& diagnose) {
  CLI::App* sub =
      app.add_subcommand("diagnose", "say which rank holds collectives up, from dumps of torch's flight recorder");
  sub->add_option("folder", diagnose.folder, "with the dumps of all ranks, or a run folder of exec")
      ->option_text("FOLDER")
      ->required();
  sub->add_flag("--json", diagnose.json, "for programs");
  return sub;
}

CLI::App* add_drill(CLI::App& app, DrillCommand& drill) {
  CLI::App* sub = app.add_subcommand("drill", "let a fault happen in a small run and see what the watch says");
  sub->add_option("fault", drill.fault, "which [list them]")->option_text("[FAULT]");
  sub->add_option("--world-size", drill.world_size, "number of ranks [4]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  sub->add_option("--rank", drill.rank, "in which [1]")->option_text("R")->check(CLI::NonNegativeNumber);
  sub->add_option("--step", drill.step, "in which step [3]")->option_text("S")->check(CLI::PositiveNumber);
  sub->add_option("--config", drill.config, "a forecast of your own [the small example]")->option_text("CONFIG");
  sub->add_option("--run-dir", drill.run_folder, "run folder [tradewind-drill-FAULT]")
      ->option_text("DIR")
      ->check(not_empty);
  add_watch(*sub, drill.watch);
  add_verbosity(*sub, drill.verbosity);
  return sub;
}

}  // namespace tradewind::launcher
