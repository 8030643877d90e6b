// Programs that are not ours, by small shell scripts: start, output, exit codes, stop, restart, phases.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/integration/program.h"

using namespace tradewind::test;
using Json = nlohmann::ordered_json;

namespace {

Result exec(const Folder& folder, std::vector<std::string> options, const std::string& script,
            std::function<void(pid_t, const std::string&)> watch = {}) {
  std::vector<std::string> words = {TRADEWIND_EXECUTABLE, "exec", "--run-dir", "run"};
  words.insert(words.end(), options.begin(), options.end());
  for (const char* word : {"--", "sh", "-c"}) words.emplace_back(word);
  words.push_back(script);
  return run({.command = std::move(words),
              .folder = folder.path,
              .environment = {{"TRADEWIND_TEST_MARK", folder.path}},
              .watch = std::move(watch)});
}

Json report_in(const Folder& folder) { return Json::parse(text_of(folder.path / "run" / "report.json")); }

}  // namespace

TEST_CASE("ranks have numbers, a place to meet and output with a prefix") {
  const Folder folder;
  const Result result =
      exec(folder, {"--world-size", "3"},
           "echo $RANK $LOCAL_RANK $WORLD_SIZE $LOCAL_WORLD_SIZE $MASTER_ADDR; test $MASTER_PORT -gt 1023");
  CHECK(result.code == 0);
  std::set<std::string> lines;
  for (std::size_t begin = 0, end = 0; (end = result.output.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.insert(result.output.substr(begin, end - begin).substr(0));
  REQUIRE(lines.size() == 3);
  CHECK(lines.contains("0 0 3 3 127.0.0.1"));
  CHECK(result.output.find("] 2 2 3 3 127.0.0.1\n") != std::string::npos);
  const Json report = report_in(folder);
  CHECK(report["status"] == "done");
  CHECK(report["world_size"] == 3);
  CHECK(report["ranks"].size() == 3);
  CHECK(report["ranks"][2]["peak_rss_bytes"] > 0);
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("the exit code is that of the rank that failed, and the others end") {
  const Folder folder;
  const auto begin = std::chrono::steady_clock::now();
  const Result result = exec(folder, {"--world-size", "3"}, "test $RANK = 1 && exit 7; sleep 100");
  CHECK(result.code == 7);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  const Json report = report_in(folder);
  CHECK(report["error"]["rank"] == 1);
  CHECK(report["error"]["what"] == "the program left with exit code 7");
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("a rank that a signal ends") {
  const Folder folder;
  const Result result = exec(folder, {"--world-size", "2"}, "test $RANK = 1 && kill -9 $$; sleep 100");
  CHECK(result.code == 137);
  CHECK(report_in(folder)["error"]["what"] == "the program was ended by signal 9 (Killed)");
}

TEST_CASE("a rank that lost its connection is not the cause") {
  const Folder folder;
  const Result result =
      exec(folder, {"--world-size", "2"},
           "if test $RANK = 1; then echo 'Connection closed by peer' >&2; exit 1; fi; sleep 0.5; exit 9");
  CHECK(result.code == 9);
  CHECK(report_in(folder)["error"]["rank"] == 0);
}

TEST_CASE("what a rank has left in its session goes with it") {
  const Folder folder;
  const Result result = exec(folder, {}, "sleep 100 & sleep 100 & exit 0");
  CHECK(result.code == 0);
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("a signal to tradewind asks the program to end by SIGTERM") {
  const Folder folder;
  bool sent = false;
  const Result result =
      exec(folder, {"--world-size", "2"}, "trap 'echo bye; exit 0' TERM; echo up >&2; sleep 100 & wait",
           [&](pid_t pid, const std::string& error) {
             const std::size_t first = error.find("up\n");
             if (sent || first == std::string::npos || error.find("up\n", first + 1) == std::string::npos) return;
             sent = true;
             std::this_thread::sleep_for(std::chrono::milliseconds(300));
             ::kill(pid, SIGTERM);
           });
  CHECK(sent);
  CHECK(result.code == 143);
  CHECK(result.output.find("bye\n") != std::string::npos);
  CHECK(report_in(folder)["status"] == "stopped");
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("tradewind is killed: no process is left") {
  const Folder folder;
  const Result result = exec(folder, {"--world-size", "2"}, "trap '' TERM; echo up >&2; sleep 100 & wait",
                             [&](pid_t pid, const std::string& error) {
                               if (error.find("up\n") != std::string::npos) ::kill(pid, SIGKILL);
                             });
  CHECK(result.code == 137);
  for (int i = 0; i < 50 && processes_marked(folder.path) > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(processes_marked(folder.path) == 0);
}

TEST_CASE("--restart starts a program again that a signal ended") {
  const Folder folder;
  const Result result = exec(folder, {"--restart", "2"}, "test -e here && exit 0; touch here; kill -9 $$");
  CHECK(result.code == 0);
  const Json report = report_in(folder);
  CHECK(report["status"] == "done");
  CHECK(report["restarts"].size() == 1);
}

TEST_CASE("phases come through TRADEWIND_PHASE_FD into status.json") {
  const Folder folder;
  const Result result = exec(folder, {}, "echo 'train 3/40 epoch one' >&3; sleep 3.5");
  CHECK(result.code == 0);
  const Json status = Json::parse(text_of(folder.path / "run" / "status.json"));
  CHECK(status["ranks"][0]["phase"] == "train");
  CHECK(status["ranks"][0]["step"] == 3);
  CHECK(status["ranks"][0]["steps"] == 40);
  CHECK(status["ranks"][0]["place"] == "epoch one");
  CHECK(status["ranks"][0]["wait_share"].is_null());
  const Result shown = run({.command = {TRADEWIND_EXECUTABLE, "status", "run"}, .folder = folder.path});
  CHECK(shown.code == 0);
  CHECK(shown.output.find("train") != std::string::npos);
  CHECK(shown.output.find("3/40  epoch one") != std::string::npos);
}

TEST_CASE("a port that the user names is the program's, and refused when taken") {
  const Folder folder;
  const auto with_port = [&](const std::string& port) {
    return run({.command = {TRADEWIND_EXECUTABLE, "exec", "--world-size", "2", "--run-dir", "run", "--", "sh", "-c",
                            "echo port $MASTER_PORT"},
                .folder = folder.path,
                .environment = {{"MASTER_PORT", port}}});
  };
  const Result result = with_port("29871");
  CHECK(result.code == 0);
  CHECK(result.output.find("port 29871\n") != std::string::npos);
  CHECK(with_port("70000").code == 2);
}

TEST_CASE("mistakes are told before anything starts") {
  const Folder folder;
  const Result none = run({.command = {TRADEWIND_EXECUTABLE, "exec", "--", "no-such-program"}, .folder = folder.path});
  CHECK(none.code == 2);
  CHECK(none.error.find("there is no program no-such-program on PATH") != std::string::npos);
  const Result script =
      run({.command = {TRADEWIND_EXECUTABLE, "exec", "--run-dir", "r", "--", "./script"}, .folder = folder.path});
  CHECK(script.code == 2);
}

TEST_CASE("a Python process gets our sitecustomize and its own, unless told not to") {
  const Folder folder;
  std::filesystem::create_directory(folder.path / "mine");
  write_text(folder.path / "mine" / "sitecustomize.py", "print('mine')\n");
  std::filesystem::create_directory(folder.path / "mine" / "torch");
  write_text(folder.path / "mine" / "torch" / "__init__.py", "");
  write_text(folder.path / "mine" / "torch" / "distributed.py", "");
  const std::string script =
      "PYTHONPATH=$PYTHONPATH:mine python3 -c 'import threading; print(threading.active_count()); "
      "import torch.distributed; print(threading.active_count())'";
  const Result with = exec(folder, {}, script);
  CHECK(with.output == "mine\n1\n2\n");
  CHECK(std::filesystem::exists(folder.path / "run" / "evidence" / "rank-0.frames"));
  const Result without = exec(folder, {"--no-python"}, script);
  CHECK(without.output == "mine\n1\n1\n");
}

TEST_CASE("a traceback is why a program failed, and where") {
  const Folder folder;
  const Result result =
      exec(folder, {"--world-size", "2"},
           "test $RANK = 0 && exec sleep 100; exec python3 -c '\ndef fails():\n  raise ValueError(\"too "
           "few\")\nfails()'");
  CHECK(result.code == 1);
  const Json error = report_in(folder)["error"];
  CHECK(error["rank"] == 1);
  CHECK(error["what"] == "the program left with exit code 1: ValueError: too few");
  CHECK(error["python"] == Json::array({"<string>:3 in fails", "<string>:4 in <module>"}));
}

TEST_CASE("a crash leaves its Python frames") {
  const Folder folder;
  const Result result =
      exec(folder, {}, "exec python3 -c 'import ctypes\ndef crashes():\n  ctypes.string_at(0)\ncrashes()'");
  CHECK(result.code == 139);
  const Json report = report_in(folder);
  REQUIRE(report["error"].contains("python"));
  CHECK(report["error"]["python"].dump().find("<string>:3 in crashes") != std::string::npos);
}

TEST_CASE("evidence of an earlier run in the folder is gone") {
  const Folder folder;
  const auto evidence = folder.path / "run" / "evidence";
  CHECK(exec(folder, {"--world-size", "2"}, "touch run/evidence/rank-7.flight run/evidence/mine.flight").code == 0);
  REQUIRE(std::filesystem::exists(evidence / "rank-7.flight"));
  CHECK(exec(folder, {}, "true").code == 0);
  CHECK_FALSE(std::filesystem::exists(evidence / "rank-7.flight"));
  CHECK(std::filesystem::exists(evidence / "mine.flight"));
}

TEST_CASE("the program and what it reads are not written over by what the launcher writes") {
  const Folder folder;
  const std::string script = "#!/bin/sh\necho ran\n";
  write_text(folder.path / "p.sh", script);
  std::filesystem::create_hard_link(folder.path / "p.sh", folder.path / "also.sh");
  std::filesystem::create_symlink("p.sh", folder.path / "link.sh");
  for (const char* report : {"p.sh", "also.sh", "link.sh"}) {
    CAPTURE(report);
    const Result result =
        run({.command = {TRADEWIND_EXECUTABLE, "exec", "--run-dir", "run", "--report", report, "--", "sh", "./p.sh"},
             .folder = folder.path});
    CHECK(result.code == 2);
    CHECK(result.output.empty());
    CHECK(result.error.find("the program's file './p.sh' (after `--`)") != std::string::npos);
    CHECK(text_of(folder.path / "p.sh") == script);
  }
}

TEST_CASE("diagnose tells what dumps say, and refuses what is none") {
  const std::string dumps = TRADEWIND_FLIGHT_DUMPS;
  const auto diagnose = [](std::vector<std::string> words) {
    words.insert(words.begin(), {TRADEWIND_EXECUTABLE, "diagnose"});
    return run({.command = std::move(words)});
  };
  const Result text = diagnose({dumps + "/2.15.0/op"});
  CHECK(text.code == 0);
  CHECK(text.output.find("rank 1 makes collective 6 with another operation than the others of group 0\n") !=
        std::string::npos);
  const Result result = diagnose({dumps + "/2.10.0/op", "--json"});
  CHECK(result.code == 0);
  const Json json = Json::parse(result.output);
  CHECK(json["verdict"] == "different call");
  CHECK(json["culprits"] == Json::array({1}));
  CHECK(json["ranks"] == 4);

  const Folder folder;
  CHECK(diagnose({folder.path}).code == 2);
  write_text(folder.path / "trace_rank_0", "garbage");
  const Result garbage = diagnose({folder.path});
  CHECK(garbage.code == 2);
  CHECK(garbage.error.find("trace_rank_0") != std::string::npos);
  CHECK(garbage.error.find("checkpoint") == std::string::npos);
  CHECK(garbage.error.find("remedy: give the files that torch has written") != std::string::npos);
  const Result file = diagnose({(folder.path / "trace_rank_0").string()});
  CHECK(file.code == 2);
  CHECK(file.error.find("this is no folder") != std::string::npos);
  // What cannot be read is not left out in silence.
  const Folder mixed;
  std::filesystem::copy_file(dumps + "/2.15.0/op/comm_lib_trace_rank_0", mixed.path / "trace_rank_0");
  REQUIRE(::mkfifo((mixed.path / "trace_rank_1").c_str(), 0600) == 0);
  std::filesystem::create_symlink("trace_rank_2", mixed.path / "trace_rank_2");
  const Result partly = diagnose({mixed.path.string()});
  CHECK(partly.error.find("warning: trace_rank_1 is no regular file, thus left out") != std::string::npos);
  CHECK(partly.error.find("warning: trace_rank_2 is no regular file, thus left out") != std::string::npos);
}
