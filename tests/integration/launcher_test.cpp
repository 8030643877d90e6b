// The launcher's executable with stand-in workers: what a user and their scripts see.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Result launch(const Folder& folder, std::vector<std::string> arguments, const std::string& fake = "well") {
  arguments.insert(arguments.begin(), TRADEWIND_EXECUTABLE);
  return run(
      {.command = std::move(arguments),
       .folder = folder.path,
       .environment = {
           {"TRADEWIND_WORKER", TRADEWIND_FAKE_WORKER}, {"FAKE_WORKER", fake}, {"TRADEWIND_TEST_MARK", folder.path}}});
}

}  // namespace

TEST_CASE("a run leaves a report in its run folder and where it was asked to") {
  const Folder folder(example);
  const Result result =
      launch(folder, {"run", "config-parallel.yaml", "runner.parallel.cluster.manual.port=null", "--report", "r.json"});
  CHECK(result.code == 0);
  CHECK(result.error.find("step 1/3  2024-01-15 06:00  0.50 s\nstep 2/3") == 0);
  const std::string report = text_of(folder.path / "r.json");
  const Json json = Json::parse(report);
  CHECK(json["status"] == "done");
  CHECK(json["world_size"] == 2);
  CHECK(json["steps"] == 3);
  CHECK(json["ranks"].size() == 2);
  CHECK(json["ranks"][1]["pid"] > 1);
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(folder.path))
    if (entry.is_directory()) {
      ++folders;
      CHECK(entry.path().filename().string().starts_with("tradewind-run-"));
      CHECK(text_of(entry.path() / "report.json") == report);
    }
  CHECK(folders == 1);
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("a failure leaves a report with its error") {
  const Folder folder(example);
  const Result result = launch(folder, {"run", "config.yaml", "--run-dir", "d", "--report", "r.json"}, "says_error");
  CHECK(result.code == 2);
  CHECK(result.error == "error: input.grib: the input is wrong\n  remedy: give another\nrun folder: d\n");
  const Json json = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(json["status"] == "failed");
  CHECK(json["exit_code"] == 2);
  CHECK(json["error"]["where"] == "input.grib");
  CHECK(json == Json::parse(text_of(folder.path / "r.json")));
}

TEST_CASE("a config mistake is reported where it was asked, without a run folder") {
  const Folder folder(example);
  const Result result = launch(folder, {"run", "config.yaml", "lead_tme=6h", "--report", "r.json"});
  CHECK(result.code == 2);
  CHECK(Json::parse(text_of(folder.path / "r.json"))["error"]["remedy"] == "did you mean `lead_time`?");
  for (const auto& entry : fs::directory_iterator(folder.path)) CHECK_FALSE(entry.is_directory());
}

TEST_CASE("the config's env reaches the worker before it starts") {
  const Folder folder(example);
  const Result result = launch(folder, {"run", "config.yaml", "env.OMP_NUM_THREADS=7"});
  CHECK(result.output == "rank 0 of 1, 7 threads\n");
}

TEST_CASE("signals end the run with their code and leave nothing") {
  const Folder folder(example);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    bool sent = false;
    const Result result = run({.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d"},
                               .folder = folder.path,
                               .environment = {{"TRADEWIND_WORKER", TRADEWIND_FAKE_WORKER},
                                               {"FAKE_WORKER", "stops_on_request"},
                                               {"TRADEWIND_TEST_MARK", folder.path}},
                               .watch = [&](pid_t pid, const std::string& error) {
                                 if (!sent && error.find("waiting\n") != std::string::npos) {
                                   sent = true;
                                   ::kill(pid, number);
                                 }
                               }});
    CHECK(result.code == 128 + number);
    CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["status"] == "stopped");
    CHECK(processes_marked(folder.path) == 0);
  }
}

TEST_CASE("signals that go on until the run has left end it with its code, never as a signal would") {
  const Folder folder(example);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const int number = attempt % 2 == 0 ? SIGINT : SIGTERM;
    std::thread sender;
    std::atomic<bool> enough = false;
    const Result result = run({.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d"},
                               .folder = folder.path,
                               .environment = {{"TRADEWIND_WORKER", TRADEWIND_FAKE_WORKER},
                                               {"FAKE_WORKER", "stops_on_request"},
                                               {"TRADEWIND_TEST_MARK", folder.path}},
                               .watch = [&](pid_t pid, const std::string& error) {
                                 if (sender.joinable() || error.find("waiting\n") == std::string::npos) return;
                                 const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
                                 REQUIRE(process >= 0);
                                 sender = std::thread([&enough, process, number] {
                                   while (!enough && ::syscall(SYS_pidfd_send_signal, process, number, nullptr, 0) == 0)
                                     std::this_thread::sleep_for(std::chrono::microseconds(50));
                                   ::close(process);
                                 });
                               }});
    enough = true;
    REQUIRE(sender.joinable());
    sender.join();
    CHECK_FALSE(result.by_signal);
    CHECK(result.code == 128 + number);
    CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["status"] == "stopped");
  }
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("a worker that is not there") {
  const Folder folder(example);
  const Result result = run({.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "--run-dir", "d"},
                             .folder = folder.path,
                             .environment = {{"TRADEWIND_WORKER", "/nowhere/worker"}}});
  CHECK(result.code == 1);
  CHECK(result.error.find("correct or unset TRADEWIND_WORKER") != std::string::npos);
  CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["status"] == "failed");
}

TEST_CASE("what was detected, without starting it") {
  const Folder folder;
  const auto asked = [&](std::vector<std::string> arguments, std::map<std::string, std::string> variables) {
    arguments.insert(arguments.begin(), {TRADEWIND_EXECUTABLE, "cluster"});
    return run({.command = std::move(arguments), .folder = folder.path, .environment = std::move(variables)});
  };
  write_text(folder.path / "srun", "#!/bin/sh\n");
  fs::permissions(folder.path / "srun", fs::perms::owner_all);
  const std::map<std::string, std::string> allocation = {
      {"SLURM_JOB_ID", "7"}, {"SLURM_JOB_NODELIST", "n[1-2]"}, {"SLURM_NTASKS", "4"}, {"PATH", folder.path.string()}};
  const Result text = asked({"--srun-args", "--mem=0 --time='1:00 h'"}, allocation);
  CHECK(text.code == 0);
  CHECK(text.output.find("would start   4 ranks with srun\nhosts         n1 n2\n") != std::string::npos);
  CHECK(text.output.find(" --mem=0 '--time=1:00 h' tradewind agent\n") != std::string::npos);
  CHECK(text.output.find("decided by    SLURM_JOB_ID=7\n") != std::string::npos);
  const Result json = asked({"--json"}, {{"RANK", "1"},
                                         {"WORLD_SIZE", "2"},
                                         {"LOCAL_RANK", "1"},
                                         {"MASTER_ADDR", "h"},
                                         {"MASTER_PORT", "5"},
                                         {"OMP_NUM_THREADS", "3"}});
  CHECK(json.code == 0);
  const Json answer = Json::parse(json.output);
  CHECK(answer["cluster"] == "torchrun");
  CHECK(answer["mode"] == "member");
  CHECK(answer["rank"] == 1);
  CHECK(answer["threads"] == 3);
  CHECK(answer["decided_by"]["MASTER_ADDR"] == "h");
  const Result wrong = asked({}, {{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "2"}, {"PATH", "/nowhere"}});
  CHECK(wrong.code == 1);
  CHECK(wrong.error.find("there is no srun on PATH to start 2 ranks") != std::string::npos);
}

TEST_CASE("a real rank of four that is killed ends the run within 5 s, is named, and nothing is left") {
  const Folder folder(example);
  std::chrono::steady_clock::time_point killed;
  const Result result =
      run({.command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "runner=parallel", "world_size=4", "lead_time=1000d",
                       "output=none", "--run-dir", "d"},
           .folder = folder.path,
           .environment = {{"TRADEWIND_TEST_MARK", folder.path}, {"OMP_NUM_THREADS", "1"}},
           .watch = [&](pid_t, const std::string& error) {
             if (killed != std::chrono::steady_clock::time_point{} || error.find("step 2/") == std::string::npos)
               return;
             killed = std::chrono::steady_clock::now();
             ::kill(marked_process(folder.path, "tradewind-worke"), SIGKILL);
           }});
  CHECK(std::chrono::steady_clock::now() - killed < std::chrono::seconds(5));
  CHECK(result.code == 137);
  CHECK(processes_marked(folder.path) == 0);
  const Json json = Json::parse(text_of(folder.path / "d" / "report.json"));
  CHECK(json["status"] == "failed");
  CHECK(json["exit_code"] == 137);
  CHECK(json["error"]["what"] == "the worker was ended by signal 9 (Killed)");
  CHECK(json["error"]["rank"].is_number());
  CHECK(result.error.find("error: rank " + std::to_string(json["error"]["rank"].get<int>()) + ": ") !=
        std::string::npos);
}

TEST_CASE("every line of a rank is kept in the run folder, and a slow reader loses none") {
  const Folder folder(example);
  const Result result = launch(folder, {"run", "config.yaml", "--run-dir", "d"}, "floods_stderr");
  CHECK(result.code == 0);
  // 25 MiB in one line: it comes in pieces.
  const std::string log = text_of(folder.path / "d" / "logs" / "rank-0.log");
  CHECK(log.ends_with("last line\n"));
  CHECK(result.error.size() == log.size() + std::string("run folder: d\n").size());
  CHECK((result.error == log + "run folder: d\n"));
}

TEST_CASE("who waits for a reader that stands still can be ended, and still takes no harm from a question") {
  const Folder folder(example);
  const Result result =
      run({.command = {"/bin/bash", "-c",
                       "mkfifo p; exec 3<>p; head -c 65536 /dev/zero >&3\n"
                       "$T run config.yaml --run-dir d >&3 & pid=$!\n"
                       "for i in {1..200}; do test -e d/report.json && break; sleep 0.05; done; sleep 0.5\n"
                       "kill -USR1 $pid; sleep 0.2; kill -USR2 $pid; sleep 0.2; kill -0 $pid && echo alive\n"
                       "for i in {1..50}; do kill -TERM $pid 2>/dev/null || break; sleep 0.1; done\n"
                       "kill -0 $pid 2>/dev/null && { echo stays; kill -KILL $pid; }\n"
                       "wait $pid; exit $?"},
           .folder = folder.path,
           .environment = {
               {"T", TRADEWIND_EXECUTABLE}, {"TRADEWIND_WORKER", TRADEWIND_FAKE_WORKER}, {"FAKE_WORKER", "well"}}});
  CAPTURE(result.error);
  CHECK(result.output == "alive\n");
  CHECK(result.code == 128 + SIGTERM);
}

TEST_CASE("a run folder that a umask of 002 has left open to its group is closed, and that is said") {
  const Folder folder(example);
  fs::create_directory(folder.path / "d");
  fs::permissions(folder.path / "d", fs::perms(0775));
  const Result result = launch(folder, {"run", "config.yaml", "--run-dir", "d"});
  CHECK(result.code == 0);
  CHECK(result.error.find("warning: d: its group could write to the run folder, and no longer can\n") !=
        std::string::npos);
  CHECK(fs::status(folder.path / "d").permissions() == fs::perms(0755));
  fs::permissions(folder.path / "d", fs::perms(0777));
  const Result open = launch(folder, {"run", "config.yaml", "--run-dir", "d"});
  CHECK(open.code == 1);
  CHECK(open.error.find("others may write to it") != std::string::npos);
}
