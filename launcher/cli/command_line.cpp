#include "launcher/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "common/errors.h"
#include "common/nearest.h"
#include "launcher/cli/options.h"

namespace tradewind::launcher {
namespace {

constexpr std::array<const char*, 11> commands = {"retrieve", "run",     "exec",   "inspect",  "predict", "serve",
                                                  "compare",  "cluster", "status", "diagnose", "drill"};
// Options followed by a value, of any command: their values are never taken for a command.
constexpr std::array<const char*, 29> valued = {
    "--hang",        "--hang-after",  "--rank",          "--step",         "--config",    "--defaults",
    "--run-dir",     "--report",      "--world-size",    "--precision",    "--tolerance", "--steps",
    "--climatology", "--persistence", "--interface",     "--srun-args",    "--device",    "--restart",
    "--idle",        "--date",        "--staging-dates", "--target",       "--verb",      "--extra",
    "--input-type",  "--include",     "--exclude",       "--dataset-name", "--output"};

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

void refuse_unknown(const std::string& name) {
  if (contains(commands, name)) return;
  const bool config = name.ends_with(".yaml") || name.ends_with(".yml");
  throw UserError(
      "unknown command `" + name + "`", "command line",
      config ? "did you mean `tradewind run " + name + "`?" : suggestion(name, {commands.begin(), commands.end()}));
}

// Reads `words`, the command first. What to show instead of running it, if that is what the user wants.
std::optional<ShowText> read(CLI::App& app, std::vector<std::string> words, const std::string& command) {
  for (CLI::App* sub : app.get_subcommands({})) sub->allow_extras();
  app.allow_extras();
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 takes it
    app.parse(words);
    return std::nullopt;
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
                    "`tradewind " + (command.empty() ? command : command + " ") + "--help` shows the usage");
  }
}

void refuse_extras(const CLI::App& app, const CLI::App& used) {
  for (const std::string& extra : app.remaining(true))
    throw UserError(
        extra.starts_with("-") ? "unknown option `" + extra + "`" : "one argument too many: `" + extra + "`",
        "command line",
        extra.starts_with("-") ? suggestion(extra.substr(0, extra.find('=')), option_names(used))
                               : "`tradewind " + used.get_name() + " --help` shows the usage");
}

// The config and its overrides, where they were given.
template <class CommandWithConfig>
CommandWithConfig with_config(CommandWithConfig command, const std::vector<std::string>& words) {
  if (words.empty()) return command;
  command.config = words.front();
  command.overrides.assign(words.begin() + 1, words.end());
  return command;
}

// The words after `--`, which belong to the program.
std::vector<std::string> split_program(std::vector<std::string>& arguments, std::optional<std::size_t> where) {
  if (!where || arguments[*where] != "exec") return {};
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> words(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return words;
}

ExecCommand with_program(ExecCommand exec, std::vector<std::string> words) {
  if (words.empty())
    throw UserError("no program to start", "command line", "name it after `--`: tradewind exec -- python train.py");
  exec.program = std::move(words);
  return exec;
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments.front() == "agent") return AgentCommand{};
  CLI::App app("Runs Anemoi weather models natively and in parallel.", "tradewind");
  app.set_help_flag("-h,--help", "show this help, or that of a command");
  app.set_version_flag("--version", "tradewind " TRADEWIND_VERSION, "show the version");
  app.require_subcommand(1);
  app.footer(
      "`tradewind COMMAND --help` shows the options of a command. Exit codes: 0 done, 2 bad command line,\n"
      "configuration or input, 75 not all ranks came, 110 a rank hangs, 253 out of memory, 128+n ended by signal n,\n"
      "1 any other failure.");

  RunCommand run;
  ExecCommand exec;
  ClusterCommand cluster;
  InspectCommand inspect;
  PredictCommand predict;
  ServeCommand serve;
  RetrieveCommand retrieve;
  CompareCommand compare;
  StatusCommand status;
  DiagnoseCommand diagnose;
  DrillCommand drill;
  std::vector<std::string> run_words, cluster_words, retrieve_words, program;
  CompareWords compare_words;
  // In the order of the help.
  const std::map<const CLI::App*, std::function<Command()>> results = {
      {add_run(app, run, run_words), [&] { return with_config(run, run_words); }},
      {add_exec(app, exec), [&] { return with_program(exec, program); }},
      {add_cluster(app, cluster, cluster_words), [&] { return with_config(cluster, cluster_words); }},
      {add_inspect(app, inspect), [&] { return inspect; }},
      {add_predict(app, predict), [&] { return predict; }},
      {add_retrieve(app, retrieve, retrieve_words), [&] { return with_config(retrieve, retrieve_words); }},
      {add_serve(app, serve), [&] { return serve; }},
      {add_compare(app, compare_words), [&] { return compare; }},
      {add_status(app, status), [&] { return status; }},
      {add_diagnose(app, diagnose), [&] { return diagnose; }},
      {add_drill(app, drill), [&] { return drill; }},
  };

  if (arguments.empty()) return ShowText{app.help()};
  const auto where = find_command(arguments);
  std::vector<std::string> words = arguments;
  program = split_program(words, where);
  if (where) {
    refuse_unknown(arguments[*where]);
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(*where));
    compare.arguments = words;
    words.insert(words.begin(), arguments[*where]);
  }
  if (auto shown = read(app, std::move(words), where ? arguments[*where] : std::string())) return *shown;
  const CLI::App* used = app.get_subcommands().front();
  refuse_extras(app, *used);
  return results.at(used)();
}

}  // namespace tradewind::launcher
