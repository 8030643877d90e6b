#include "launcher/cli/command_line.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Words = std::vector<std::string>;

namespace {

// `what|remedy` of the refusal.
std::string refused(const Words& arguments) {
  try {
    parse_command_line(arguments);
  } catch (const UserError& error) {
    return error.message() + "|" + error.remedy();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("run: options stand anywhere") {
  const std::vector<Words> forms = {{"run", "c.yaml", "date=-1", "lead_time=6h", "--defaults", "a.yaml", "--defaults",
                                     "b.yaml", "--run-dir", "d", "--report", "r.json", "--verbose"},
                                    {"--report", "r.json", "--verbose", "run", "--defaults", "a.yaml", "c.yaml",
                                     "--defaults", "b.yaml", "date=-1", "--run-dir=d", "lead_time=6h"}};
  for (const Words& form : forms) {
    const auto command = std::get<RunCommand>(parse_command_line(form));
    CHECK(command.config == "c.yaml");
    CHECK(command.overrides == Words{"date=-1", "lead_time=6h"});
    CHECK(command.defaults == Words{"a.yaml", "b.yaml"});
    CHECK(command.run_folder == "d");
    CHECK(command.report == "r.json");
    CHECK(command.verbosity == Verbosity::verbose);
  }
}

TEST_CASE("run: there need not be a config file") {
  const auto command = std::get<RunCommand>(parse_command_line({"run", "checkpoint=a.ckpt", "input.grib[0]=x"}));
  CHECK(command.config == "checkpoint=a.ckpt");
  CHECK(command.overrides == Words{"input.grib[0]=x"});
}

TEST_CASE("run: only a check, and mistakes for programs") {
  const auto command = std::get<RunCommand>(parse_command_line({"--json", "run", "c.yaml", "--check"}));
  CHECK(command.check);
  CHECK(command.json);
  CHECK_FALSE(std::get<RunCommand>(parse_command_line({"run", "c.yaml"})).check);
}

TEST_CASE("run: how often to start again") {
  CHECK(std::get<RunCommand>(parse_command_line({"run", "c.yaml"})).restarts == 0);
  CHECK(std::get<RunCommand>(parse_command_line({"--restart", "2", "run", "c.yaml"})).restarts == 2);
  CHECK_THROWS_AS(parse_command_line({"run", "c.yaml", "--restart", "-1"}), UserError);
}

TEST_CASE("inspect and predict") {
  const auto inspect =
      std::get<InspectCommand>(parse_command_line({"inspect", "--json", "a.ckpt", "--world-size", "4"}));
  CHECK(inspect.checkpoint == "a.ckpt");
  CHECK(inspect.json);
  CHECK(inspect.world_size == 4);
  CHECK(inspect.config.empty());
  CHECK(std::get<InspectCommand>(parse_command_line({"inspect", "a.ckpt", "--config", "c.yaml"})).config == "c.yaml");
  const auto predict =
      std::get<PredictCommand>(parse_command_line({"predict", "a.ckpt", "--precision", "bf16", "in.npz", "out.npz"}));
  CHECK(predict.checkpoint == "a.ckpt");
  CHECK(predict.input == "in.npz");
  CHECK(predict.output == "out.npz");
  CHECK(predict.precision == "bf16");
  CHECK(predict.world_size == 1);
}

TEST_CASE("compare: everything goes to the worker as it is") {
  const auto compare = std::get<CompareCommand>(
      parse_command_line({"--json", "compare", "a", "--tolerance", "1e-4", "b", "--steps=24h,5d"}));
  CHECK(compare.arguments == Words{"--json", "a", "--tolerance", "1e-4", "b", "--steps=24h,5d"});
}

TEST_CASE("help and version") {
  for (const Words& form : {Words{}, Words{"--help"}, Words{"-h"}})
    CHECK(std::get<ShowText>(parse_command_line(form)).text.find("predict") != std::string::npos);
  for (const Words& form : {Words{"run", "--help"}, Words{"--help", "run"}, Words{"run", "c.yaml", "-h"}})
    CHECK(std::get<ShowText>(parse_command_line(form)).text.find("--defaults FILE") != std::string::npos);
  CHECK(std::get<ShowText>(parse_command_line({"compare", "--help"})).text.find("--tolerance") != std::string::npos);
  for (const char* command : {"run", "inspect", "predict", "cluster", "compare", "status", "drill"})
    CHECK(std::get<ShowText>(parse_command_line({command, "--help"}))
              .text.find("Usage: tradewind " + std::string(command) + " ") != std::string::npos);
  CHECK(std::get<ShowText>(parse_command_line({"--version"})).text.starts_with("tradewind "));
}

TEST_CASE("what is not known is refused with the nearest that is") {
  CHECK(refused({"rum", "c.yaml"}) == "unknown command `rum`|did you mean `run`?");
  CHECK(refused({"c.yaml"}) == "unknown command `c.yaml`|did you mean `tradewind run c.yaml`?");
  CHECK(refused({"xylophone"}) == "unknown command `xylophone`|`tradewind --help` lists what there is");
  CHECK(refused({"run", "c.yaml", "--reprot", "r"}) == "unknown option `--reprot`|did you mean `--report`?");
  CHECK(refused({"run", "c.yaml", "--reprot=r"}) == "unknown option `--reprot=r`|did you mean `--report`?");
  CHECK(refused({"--verbos", "run", "c.yaml"}) == "unknown option `--verbos`|did you mean `--verbose`?");
  CHECK(refused({"inspect", "a", "--jsn"}) == "unknown option `--jsn`|did you mean `--json`?");
  CHECK(refused({"inspect", "a", "b"}) == "one argument too many: `b`|`tradewind inspect --help` shows the usage");
  CHECK(refused({"compare", "a", "b", "--tolerence", "1"}) ==
        "unknown option `--tolerence`|did you mean `--tolerance`?");
  CHECK(refused({"compare", "a"}).ends_with("|`tradewind compare --help` shows the usage"));
  CHECK(refused({"run"}).ends_with("|`tradewind run --help` shows the usage"));
  CHECK(refused({"predict", "a", "b"}).ends_with("|`tradewind predict --help` shows the usage"));
  CHECK(refused({"predict", "a", "b", "c", "--world-size", "0"})
            .ends_with("|`tradewind predict --help` shows the usage"));
  CHECK(refused({"predict", "a", "b", "c", "--precision", "f8"})
            .ends_with("|`tradewind predict --help` shows the usage"));
  CHECK(refused({"run", "c.yaml", "--report"}).ends_with("|`tradewind run --help` shows the usage"));
}

TEST_CASE("exec: what stands after -- is the program's") {
  const auto command = std::get<ExecCommand>(parse_command_line(
      {"exec", "--world-size", "4", "--restart", "2", "--", "python", "x.py", "--world-size", "9", "--", "--help"}));
  CHECK(command.program == Words{"python", "x.py", "--world-size", "9", "--", "--help"});
  CHECK(command.world_size == 4);
  CHECK(command.restarts == 2);
  CHECK(command.python);
  CHECK_FALSE(command.own_cpus);
  CHECK_FALSE(command.own_gpu);
  CHECK(command.watch.mode == HangMode::observe);
  const auto other = std::get<ExecCommand>(parse_command_line(
      {"--hang", "stop", "exec", "--no-python", "--own-cpus", "--own-gpu", "--hang-after=9", "--", "a"}));
  CHECK(other.watch.mode == HangMode::stop);
  CHECK(other.watch.hang_after == 9);
  CHECK_FALSE(other.world_size);
  CHECK_FALSE(other.python);
  CHECK(other.own_cpus);
  CHECK(other.own_gpu);
}

TEST_CASE("exec: without a program, or without --, it is refused") {
  CHECK(refused({"exec"}) == "no program to start|name it after `--`: tradewind exec -- python train.py");
  CHECK(refused({"exec", "--"}).starts_with("no program to start|"));
  CHECK(refused({"exec", "python"}).starts_with("one argument too many: `python`|"));
  CHECK(refused({"exec", "--world-sise", "3", "--", "a"}).find("--world-size") != std::string::npos);
}

TEST_CASE("an option that a script has left empty is not taken for one that is not given") {
  for (const char* option : {"--run-dir", "--report"})
    for (const char* command : {"run", "exec"}) {
      CAPTURE(option);
      CHECK(refused({command, option, ""}).find(std::string(option) + ": it is empty") != std::string::npos);
    }
  CHECK(refused({"predict", "--report", ""}).find("it is empty") != std::string::npos);
  CHECK(refused({"drill", "--run-dir", "", "kill"}).find("it is empty") != std::string::npos);
}

TEST_CASE("diagnose") {
  const auto command = std::get<DiagnoseCommand>(parse_command_line({"diagnose", "d", "--json"}));
  CHECK(command.folder == "d");
  CHECK(command.json);
  CHECK(refused({"diagnose"}).find("folder is required") != std::string::npos);
}
