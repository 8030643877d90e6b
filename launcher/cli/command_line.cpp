#include "launcher/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "common/device_name.h"
#include "common/errors.h"
#include "common/nearest.h"

namespace tradewind::launcher {
namespace {

constexpr std::array<const char*, 7> commands = {"run", "inspect", "predict", "compare", "cluster", "status", "drill"};
// Options followed by a value, of any command: their values are never taken for a command.
constexpr std::array<const char*, 18> valued = {
    "--hang",        "--hang-after",  "--rank",       "--step",      "--config",    "--defaults",
    "--run-dir",     "--report",      "--world-size", "--precision", "--tolerance", "--steps",
    "--climatology", "--persistence", "--interface",  "--srun-args", "--device",    "--restart"};

bool contains(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Where the command stands: the first argument that is neither an option nor an option's value.
std::optional<std::size_t> find_command(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (contains(valued, arguments[i]))
      ++i;
    else if (!arguments[i].starts_with("-"))
      return i;
  }
  return std::nullopt;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const auto guess = nearest(word, known);
  return guess ? "did you mean `" + *guess + "`?" : "`tradewind --help` lists what there is";
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

void add_verbosity(CLI::App& app, Verbosity& verbosity) {
  app.add_flag_callback(
      "--verbose", [&verbosity] { verbosity = Verbosity::verbose; }, "say more");
  app.add_flag_callback(
      "--quiet", [&verbosity] { verbosity = Verbosity::quiet; }, "only warnings and errors");
}

void add_watch(CLI::App& app, WatchSettings& watch) {
  app.add_option_function<std::string>(
         "--hang",
         [&watch](const std::string& mode) {
           watch.mode = mode == "off" ? HangMode::off : mode == "observe" ? HangMode::observe : HangMode::stop;
         },
         "what a run that does not get on comes to: stop, observe or off [stop]")
      ->option_text("MODE")
      ->check(CLI::IsMember({"stop", "observe", "off"}));
  app.add_option("--hang-after", watch.hang_after, "seconds without progress that make a hang [learned from the run]")
      ->option_text("SECONDS")
      ->check(CLI::PositiveNumber);
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app("Runs Anemoi weather models natively and in parallel.", "tradewind");
  app.set_help_flag("-h,--help", "show this help, or that of a command");
  app.set_version_flag("--version", "tradewind " TRADEWIND_VERSION, "show the version");
  app.require_subcommand(1);
  app.footer(
      "`tradewind COMMAND --help` shows the options of a command. Exit codes: 0 done, 2 bad command line,\n"
      "configuration or input, 75 not all ranks came, 110 a rank hangs, 253 out of memory, 128+n ended by signal n,\n"
      "1 any other failure.");

  RunCommand run;
  std::vector<std::string> positionals;
  CLI::App* run_app = app.add_subcommand("run", "run the forecast that a config describes");
  run_app->add_option("config", positionals, "the config.yaml, then overrides: key=value")
      ->option_text("CONFIG [KEY=VALUE...]")
      ->required();
  run_app->add_option("--defaults", run.defaults, "a config merged under CONFIG; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
  run_app->add_option("--run-dir", run.run_folder, "run folder [tradewind-run-<time> beside CONFIG]")
      ->option_text("DIR");
  run_app->add_option("--report", run.report, "write the report there too")->option_text("FILE");
  add_watch(*run_app, run.watch);
  run_app->add_option("--interface", run.interface, "network interface for the ranks [the one that reaches them]")
      ->option_text("NAME");
  run_app->add_option("--srun-args", run.srun_args, "further options for srun, where it starts the ranks")
      ->option_text("'OPTIONS'");
  run_app
      ->add_option(
          "--restart", run.restarts,
          "start again up to N times when a rank is ended by a signal or a host is lost, from the last step on "
          "disk [0]")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  run_app->add_flag("--verify", run.verify, "check the checkpoint's checksums before anything starts, not beside it");
  run_app->add_flag("--check", run.check, "say what stands in the way of the run, and start nothing");
  run_app->add_flag("--json", run.json, "mistakes for programs, too: on standard output");
  add_verbosity(*run_app, run.verbosity);

  ClusterCommand cluster;
  std::vector<std::string> cluster_words;
  CLI::App* cluster_app = app.add_subcommand("cluster", "say where ranks would come from here, and start none");
  cluster_app->add_option("config", cluster_words, "as for run; without it: a parallel run")
      ->option_text("[CONFIG [KEY=VALUE...]]");
  cluster_app->add_option("--defaults", cluster.defaults, "a config merged under CONFIG; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
  cluster_app->add_option("--srun-args", cluster.srun_args, "as for run")->option_text("'OPTIONS'");
  cluster_app->add_flag("--json", cluster.json, "for programs");

  InspectCommand inspect;
  CLI::App* inspect_app = app.add_subcommand("inspect", "say what a checkpoint holds, and whether it runs here");
  inspect_app->add_option("checkpoint", inspect.checkpoint)->option_text("CHECKPOINT")->required();
  inspect_app->add_flag("--json", inspect.json, "for programs");
  inspect_app->add_flag("--verify", inspect.verify, "check the checksums of everything in it, too");
  inspect_app->add_option("--world-size", inspect.world_size, "memory for that many ranks [1]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);

  PredictCommand predict;
  CLI::App* predict_app = app.add_subcommand("predict", "one model call on raw tensors: reads x, writes y");
  predict_app->add_option("checkpoint", predict.checkpoint)->option_text("CHECKPOINT")->required();
  predict_app->add_option("input", predict.input, "x (batch, time, grid, variables)")
      ->option_text("IN.npz")
      ->required();
  predict_app->add_option("output", predict.output, "y")->option_text("OUT.npz")->required();
  predict_app->add_option("--world-size", predict.world_size, "number of ranks [1]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  predict_app->add_option("--precision", predict.precision, "f32, f16 or bf16 [f32]")
      ->option_text("P")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
  predict_app->add_option("--device", predict.device, "cpu, cuda or cuda:N [cuda when there is one]")
      ->option_text("D")
      ->check([](const std::string& text) {
        return device_name_of(text) ? std::string() : "'" + text + "' is no device: give cpu, cuda or cuda:N";
      });
  predict_app->add_option("--report", predict.report, "write the report there")->option_text("FILE");
  add_verbosity(*predict_app, predict.verbosity);

  // The worker reads these words itself; here they are known for the help and for mistakes.
  CompareCommand compare;
  bool flag = false;
  CLI::App* compare_app = app.add_subcommand("compare", "do two GRIB files hold the same forecast; how good is it");
  std::string word;
  compare_app->add_option("a", word, "a forecast")->option_text("A.grib")->required();
  compare_app->add_option("b", word, "what it should be")->option_text("B.grib")->required();
  compare_app->add_flag("--json", flag, "for programs");
  const auto add_word = [&](const char* name, const char* value, const char* about) {
    compare_app->add_option(name, word, about)->option_text(value);
  };
  add_word("--tolerance", "T", "largest difference, of the standard deviation of B's field [1e-4]");
  compare_app->add_flag("--scores", flag, "only scores: B is the truth, not the same forecast");
  add_word("--steps", "24h,5d", "lead times to score [all]");
  add_word("--climatology", "C", "what anomalies are counted from: zonal-mean or mean [zonal-mean]");
  add_word("--persistence", "FILE", "file whose fields at B's base date are scored as a forecast too");

  if (arguments.size() == 1 && arguments.front() == "agent") return AgentCommand{};
  StatusCommand status;
  CLI::App* status_app = app.add_subcommand("status", "how a running job gets on, rank by rank");
  status_app
      ->add_option("run", status.run,
                   "a run folder, a configuration with runs beside it, or a job [the newest run here]")
      ->option_text("[RUN_DIR | CONFIG | SLURM_JOB]");
  status_app->add_flag("--json", status.json, "once, for programs");

  DrillCommand drill;
  CLI::App* drill_app = app.add_subcommand("drill", "let a fault happen in a small run and see what the watch says");
  drill_app->add_option("fault", drill.fault, "which [list them]")->option_text("[FAULT]");
  drill_app->add_option("--world-size", drill.world_size, "number of ranks [4]")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  drill_app->add_option("--rank", drill.rank, "in which [1]")->option_text("R")->check(CLI::NonNegativeNumber);
  drill_app->add_option("--step", drill.step, "in which step [3]")->option_text("S")->check(CLI::PositiveNumber);
  drill_app->add_option("--config", drill.config, "a forecast of your own [the small example]")->option_text("CONFIG");
  drill_app->add_option("--run-dir", drill.run_folder, "run folder [tradewind-drill-FAULT]")->option_text("DIR");
  add_watch(*drill_app, drill.watch);
  add_verbosity(*drill_app, drill.verbosity);

  const auto where = find_command(arguments);
  std::vector<std::string> ordered = arguments;
  if (where) {
    const std::string& name = arguments[*where];
    if (!contains(commands, name)) {
      const bool config = name.ends_with(".yaml") || name.ends_with(".yml");
      throw UserError(
          "unknown command `" + name + "`", "command line",
          config ? "did you mean `tradewind run " + name + "`?" : suggestion(name, {commands.begin(), commands.end()}));
    }
    ordered.erase(ordered.begin() + static_cast<std::ptrdiff_t>(*where));
    compare.arguments = ordered;
    ordered.insert(ordered.begin(), name);
  } else if (arguments.empty()) {
    return ShowText{app.help()};
  }

  for (CLI::App* sub : app.get_subcommands({})) sub->allow_extras();
  app.allow_extras();
  try {
    std::reverse(ordered.begin(), ordered.end());  // as CLI11 takes it
    app.parse(ordered);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return ShowText{chosen.empty() ? app.help() : chosen.front()->help(app.get_name())};
  } catch (const CLI::CallForVersion& version) {
    return ShowText{std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const CLI::App& used = chosen.empty() ? app : *chosen.front();
    for (const std::string& extra : used.remaining())
      if (extra.starts_with("-"))
        throw UserError("unknown option `" + extra + "`", "command line", suggestion(extra, option_names(used)));
    throw UserError(error.what(), "command line",
                    "`tradewind " + (where ? arguments[*where] + " " : std::string()) + "--help` shows the usage");
  }
  const CLI::App& used = *app.get_subcommands().front();
  for (const std::string& extra : app.remaining(true))
    throw UserError(
        extra.starts_with("-") ? "unknown option `" + extra + "`" : "one argument too many: `" + extra + "`",
        "command line",
        extra.starts_with("-") ? suggestion(extra.substr(0, extra.find('=')), option_names(used))
                               : "`tradewind " + used.get_name() + " --help` shows the usage");
  if (&used == inspect_app) return inspect;
  if (&used == predict_app) return predict;
  if (&used == compare_app) return compare;
  if (&used == status_app) return status;
  if (&used == drill_app) return drill;
  if (&used == cluster_app) {
    if (!cluster_words.empty()) {
      cluster.config = cluster_words.front();
      cluster.overrides.assign(cluster_words.begin() + 1, cluster_words.end());
    }
    return cluster;
  }
  run.config = positionals.front();
  run.overrides.assign(positionals.begin() + 1, positionals.end());
  return run;
}

}  // namespace tradewind::launcher
