// Real forecasts by the real worker: a run that is interrupted, and the mistakes a user can make.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/grib_messages.h"
#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Result launch(const Folder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), TRADEWIND_EXECUTABLE);
  return run(
      {.command = std::move(arguments),
       .folder = folder.path,
       .environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}}});
}

// Runs with a mistake in it: exit code 2, one error that says what, where and the way out, and no output.
void check_refused(const Folder& folder, std::vector<std::string> overrides, const std::vector<std::string>& expected) {
  std::vector<std::string> arguments = {"run", "config.yaml", "lead_time=6h", "--run-dir", "d", "--report", "r.json"};
  arguments.insert(arguments.end(), overrides.begin(), overrides.end());
  const Result result = launch(folder, arguments);
  CAPTURE(result.error);
  CHECK(result.code == 2);
  const auto error = result.error.find("error: ");
  REQUIRE(error != std::string::npos);
  CHECK(result.error.find("error: ", error + 1) == std::string::npos);
  CHECK(result.error.find("\n  remedy: ", error) != std::string::npos);
  for (const std::string& text : expected) CHECK_MESSAGE(result.error.find(text, error) != std::string::npos, text);
  CHECK_FALSE(fs::exists(folder.path / "output.grib"));
  const Json report = Json::parse(text_of(folder.path / "r.json"));
  CHECK(report["status"] == "failed");
  CHECK(report["exit_code"] == 2);
  CHECK_FALSE(report["error"]["what"].get<std::string>().empty());
  CHECK_FALSE(report["error"]["where"].get<std::string>().empty());
  CHECK_FALSE(report["error"]["remedy"].get<std::string>().empty());
  CHECK(processes_marked(folder.path) == 0);
}

}  // namespace

TEST_CASE("a forecast, its report and its time") {
  const Folder folder(example);
  const Result result = launch(folder, {"run", "config.yaml", "lead_time=12h", "--run-dir", "d"});
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK(result.error.find("step 1/2  2024-01-15 06:00  ") != std::string::npos);
  CHECK(result.error.find("step 2/2  2024-01-15 12:00  ") != std::string::npos);
  CHECK(fs::file_size(folder.path / "output.grib") > 0);
  CHECK_FALSE(fs::exists(folder.path / "output.grib.partial"));
  const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(report["status"] == "done");
  CHECK(report["steps"] == 2);
  CHECK(report["seconds"]["load"] > 0);
  CHECK(report["seconds"]["first_step"] > 0);
  CHECK(report["seconds"]["total"] > report["seconds"]["first_step"]);
  CHECK(report["ranks"][0]["device"] == "cpu");
  CHECK(report["ranks"][0]["peak_rss_bytes"] > 50'000'000);
}

TEST_CASE("an interrupted forecast keeps what it has written, under its partial name") {
  const Folder folder(example);
  bool sent = false;
  const Result result =
      run({.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "lead_time=100d", "--run-dir", "d"},
           .folder = folder.path,
           .environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}},
           .watch = [&](pid_t pid, const std::string& error) {
             if (!sent && error.find("step 3/400") != std::string::npos) {
               sent = true;
               ::kill(pid, SIGINT);
             }
           }});
  CHECK(result.code == 130);
  CHECK(result.error.find("error: stopped by signal 2") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path / "output.grib"));
  CHECK(fs::file_size(folder.path / "output.grib.partial") > 0);
  CHECK(messages_of(text_of(folder.path / "output.grib.partial")).size() > 10);
  const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(report["status"] == "stopped");
  CHECK(report["steps"] >= 3);
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("a rank that is killed ends the run, and is named although its peer complains too") {
  const Folder folder(example);
  bool sent = false;
  const Result result =
      run({.command = {TRADEWIND_EXECUTABLE, "run", "config-parallel.yaml", "runner.parallel.cluster.manual.port=null",
                       "lead_time=100d", "--run-dir", "d"},
           .folder = folder.path,
           .environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE}, {"TRADEWIND_TEST_MARK", folder.path}},
           .watch = [&](pid_t pid, const std::string& error) {
             if (sent || error.find("step 3/400") == std::string::npos) return;
             sent = true;
             const std::string launcher = std::to_string(pid);
             std::istringstream children(text_of("/proc/" + launcher + "/task/" + launcher + "/children"));
             pid_t first = 0, second = 0;
             children >> first >> second;
             REQUIRE(second > 1);
             ::kill(second, SIGKILL);
           }});
  CAPTURE(result.error);
  CHECK(result.code == 137);
  CHECK(result.error.find("error: rank 1: the worker was ended by signal 9 (Killed)") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path / "output.grib"));
  CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["error"]["rank"] == 1);
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("mistakes in the config") {
  const Folder folder(example);
  check_refused(folder, {"leed_time=6h"}, {"leed_time", "did you mean `lead_time`?"});
  check_refused(folder, {"allow_nans=perhaps"}, {"allow_nans", "perhaps"});
  check_refused(folder, {"date=2024-02-30"}, {"2024-02-30"});
  check_refused(folder, {"input.grib=nowhere.grib"}, {"nowhere.grib"});
  check_refused(folder, {"checkpoint=nowhere.ckpt"}, {"nowhere.ckpt"});
  check_refused(folder, {"input=mars"}, {"mars"});
  check_refused(folder, {"date=2020-01-01"}, {"2020-01-01", "input.grib"});
  write_text(folder.path / "config.yaml", "checkpoint: inference-last.ckpt\nprecision: [f32\n");
  check_refused(folder, {}, {"config.yaml:"});
}

TEST_CASE("mistakes in the input") {
  const Folder folder(example);
  const auto messages = messages_of(text_of(example / "input.grib"));
  REQUIRE(messages.size() > 10);
  const auto with = [&](const std::vector<std::string>& changed) {
    write_text(folder.path / "input.grib", joined(changed));
  };
  SUBCASE("a field is missing") {
    auto fewer = messages;
    const std::string name = short_name(fewer.front());
    fewer.erase(fewer.begin());
    with(fewer);
    check_refused(folder, {}, {name, "input.grib"});
  }
  SUBCASE("a field is there twice") {
    auto more = messages;
    more.push_back(messages.front());
    with(more);
    check_refused(folder, {}, {short_name(messages.front()), "input.grib"});
  }
  SUBCASE("a field is on another grid") {
    auto other = messages;
    other.front() = on_other_grid(other.front());
    with(other);
    check_refused(folder, {}, {"16", "5248", "O32"});
  }
  SUBCASE("a message is cut off") {
    auto cut = messages;
    cut.back().resize(cut.back().size() / 2);
    with(cut);
    check_refused(folder, {}, {"input.grib"});
  }
}

TEST_CASE("a worker alone says how it is started") {
  const Result result = run({.command = {TRADEWIND_WORKER_EXECUTABLE}});
  CHECK(result.code == 2);
  CHECK(result.error ==
        "error: tradewind-worker: this is one rank's process, not a command\n"
        "  remedy: run `tradewind run CONFIG`, which starts it\n");
}
