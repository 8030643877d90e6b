// What surrounds a run: signals that a scheduler sends to every process of it, limits of the session and of the host,
// libraries of another version, variables left over.
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/integration/program.h"

using namespace tradewind::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const fs::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Result shell(const Folder& folder, const std::string& script, std::map<std::string, std::string> variables = {}) {
  variables["T"] = TRADEWIND_EXECUTABLE;
  return run({.command = {"/bin/bash", "-c", script}, .folder = folder.path, .environment = std::move(variables)});
}

std::vector<pid_t> all_processes(pid_t launcher, const std::string& mark) {
  std::vector<pid_t> all = {launcher};
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && pid != launcher && text_of(entry.path() / "environ").find(mark) != std::string::npos)
      all.push_back(pid);
  }
  return all;
}

// Two ranks of the real worker over many steps; at the second one `act` is called with every process of the run.
Result while_running(const Folder& folder, const std::vector<std::string>& more,
                     const std::function<void(const std::vector<pid_t>&)>& act) {
  std::vector<std::string> command = {TRADEWIND_EXECUTABLE, "run",       "config.yaml", "runner=parallel",
                                      "world_size=2",       "--run-dir", "d",           "output=none"};
  command.insert(command.end(), more.begin(), more.end());
  bool done = false;
  return run({.command = command,
              .folder = folder.path,
              .environment = {{"TRADEWIND_TEST_MARK", folder.path}, {"OMP_NUM_THREADS", "1"}},
              .watch = [&](pid_t pid, const std::string& error) {
                if (done || error.find("step 2/") == std::string::npos) return;
                done = true;
                const auto all = all_processes(pid, "TRADEWIND_TEST_MARK=" + folder.path.string());
                CHECK(all.size() == 3);
                act(all);
              }});
}

void send(const std::vector<pid_t>& processes, int number) {
  for (const pid_t pid : processes) ::kill(pid, number);
}

}  // namespace

TEST_CASE("signals that ask, stop or continue, sent to every process of a run, do not end it") {
  for (const int number : {SIGUSR1, SIGUSR2, SIGCONT}) {
    const Folder folder(example);
    const Result result =
        while_running(folder, {"lead_time=60d"}, [&](const std::vector<pid_t>& all) { send(all, number); });
    CAPTURE(result.error);
    CHECK(result.code == 0);
    const bool table = result.error.find("rank  host") != std::string::npos;
    CHECK(table == (number != SIGCONT));
    CHECK(processes_marked(folder.path) == 0);
  }
  const Folder folder(example);
  const Result result = while_running(folder, {"lead_time=60d"}, [](const std::vector<pid_t>& all) {
    send(all, SIGTSTP);
    std::this_thread::sleep_for(300ms);
    send(all, SIGCONT);
  });
  CAPTURE(result.error);
  CHECK(result.code == 0);
}

TEST_CASE("a scheduler that suspends all processes of a run and lets them go on later") {
  const Folder folder(example);
  const Result result = while_running(folder, {"lead_time=60d"}, [](const std::vector<pid_t>& all) {
    for (const int number : {SIGTSTP, SIGSTOP}) send(all, number);
    std::this_thread::sleep_for(8s);  // longer than a hang may last, or a host be silent
    send(all, SIGCONT);
  });
  CAPTURE(result.error);
  CHECK(result.code == 0);
  CHECK(result.error.find("hang") == std::string::npos);
}

TEST_CASE("signals that end a run, sent to every process of it, end it in order") {
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) {
    const Folder folder(example);
    const Result result =
        while_running(folder, {"lead_time=2000d"}, [&](const std::vector<pid_t>& all) { send(all, number); });
    CAPTURE(result.error);
    CHECK(result.code == 128 + number);
    CHECK(Json::parse(text_of(folder.path / "d" / "report.json"))["status"] == "stopped");
    CHECK(processes_marked(folder.path) == 0);
  }
}

TEST_CASE("limits of the session are told by their own name") {
  const Folder folder(example);
  for (const char* limit : {"32", "16", "64"}) {
    const Result few = shell(folder, std::string("ulimit -n ") + limit +
                                         "; exec \"$T\" run config.yaml runner=parallel world_size=2 --run-dir d");
    CAPTURE(few.error);
    CHECK(few.code == 1);
    CHECK(few.error.find("open files") != std::string::npos);
    CHECK(few.error.find("ulimit -n 1024") != std::string::npos);
  }
  // Of a soft limit it takes more by itself.
  const Result soft = shell(folder, "ulimit -S -n 32; exec \"$T\" run config.yaml lead_time=6h --run-dir e");
  CAPTURE(soft.error);
  CHECK(soft.code == 0);
}

TEST_CASE("a host without /proc") {
  const Folder folder(example);
  const Result result = shell(
      folder,
      "unshare -m true || exit 77; exec unshare -m bash -c 'mount -t tmpfs none /proc; exec \"$T\" run config.yaml'");
  if (result.code == 77) return;  // only root may
  CHECK(result.code == 1);
  CHECK(result.error.find("mount /proc") != std::string::npos);
}

TEST_CASE("a worker that may not be started, or is none") {
  const Folder folder(example);
  write_text(folder.path / "worker", "not a program\n");
  const auto with = [&](const std::string& mode) {
    return shell(folder, "chmod " + mode + " worker; exec \"$T\" run config.yaml --run-dir d",
                 {{"TRADEWIND_WORKER", (folder.path / "worker").string()}});
  };
  CHECK(with("600").error.find("chmod +x") != std::string::npos);
  CHECK(with("700").error.find("no program of this machine's kind") != std::string::npos);
  write_text(folder.path / "worker", "#!/nowhere/interpreter\n");
  CHECK(with("700").error.find("the loader that it names is not") != std::string::npos);
}

TEST_CASE("another LibTorch is refused before its code runs, with both versions") {
  const Folder folder(example);
  const Result result =
      shell(folder, "exec \"$T\" run config.yaml lead_time=6h --run-dir d", {{"LD_PRELOAD", TRADEWIND_OTHER_LIBTORCH}});
  CAPTURE(result.error);
  CHECK(result.code == 1);
  CHECK(
      result.error.find("LibTorch 2.7.3 was found, but this program was built for LibTorch " TRADEWIND_TORCH_VERSION) !=
      std::string::npos);
  CHECK(result.error.find(TRADEWIND_OTHER_LIBTORCH) != std::string::npos);
  const Result version = shell(folder, "\"$T\" --libtorch-version-of " TRADEWIND_OTHER_LIBTORCH);
  CHECK(version.output == "2.7.3\n");
  CHECK(shell(folder, "\"$T\" --libtorch-version-of /nowhere.so").code == 1);
}

TEST_CASE("a LibTorch that is too old to tell its version is told by what stands beside it") {
  const Folder folder(example);
  const Result result = shell(folder, "exec \"$T\" run config.yaml lead_time=6h --run-dir d",
                              {{"LD_PRELOAD", TRADEWIND_HOLLOW_LIBTORCH}});
  CAPTURE(result.error);
  CHECK(result.code == 1);
  CHECK(result.error.find("LibTorch 2.7.1 was found (" TRADEWIND_HOLLOW_LIBTORCH
                          "), but the worker was built for LibTorch " TRADEWIND_TORCH_VERSION) != std::string::npos);
}

TEST_CASE("a worker that the loader refuses says why") {
  const Folder folder(example);
  write_text(folder.path / "worker",
             "#!/bin/sh\necho 'worker: symbol lookup error: undefined symbol: _Z1f' >&2\nexit 127\n");
  const Result result = shell(folder, "chmod 700 worker; exec \"$T\" run config.yaml --run-dir d",
                              {{"TRADEWIND_WORKER", (folder.path / "worker").string()}});
  CHECK(result.code == 1);
  CHECK(result.error.find("the worker cannot be loaded: worker: symbol lookup error") != std::string::npos);
}

TEST_CASE("too little address space for the worker is no fault of its installation") {
  const Folder folder(example);
  const Result result = shell(folder, "ulimit -v 400000; exec \"$T\" run config.yaml --run-dir d");
  CAPTURE(result.error);
  CHECK(result.code == 1);
  CHECK(result.error.find("ulimit -v") != std::string::npos);
  CHECK(result.error.find("install") == std::string::npos);
}

TEST_CASE("a limit on processes is told as such") {
  const Folder folder(example);
  fs::permissions(folder.path, fs::perms::all);
  // Root has no such limit.
  const Result result = shell(folder,
                              "[ $(id -u) = 0 ] || exit 77; cp -L config.yaml c.yaml; setpriv --reuid=65534 "
                              "--regid=65534 --clear-groups prlimit --nproc=1 \"$T\" run c.yaml --run-dir d");
  if (result.code == 77 || result.code == 126 || result.code == 127) return;
  CAPTURE(result.error);
  CHECK(result.code == 1);
  CHECK(result.error.find("Resource temporarily unavailable") != std::string::npos);
  CHECK(result.error.find("ulimit -u") != std::string::npos);
}

TEST_CASE("variables of PMIx that something has left behind are named as what decided") {
  const Folder folder(example);
  const std::map<std::string, std::string> left = {{"PMIX_RANK", "0"}, {"PMIX_NAMESPACE", "prte-1@1"}};
  const Result asked = shell(folder, "exec \"$T\" cluster config.yaml runner=parallel world_size=2", left);
  CHECK(asked.output.find("PMIX_RANK=0") != std::string::npos);
  CHECK(asked.output.find("world_size=2") != std::string::npos);
  const Result refused = shell(folder, "exec \"$T\" run config.yaml runner=parallel", left);
  CHECK(refused.code == 2);
  CHECK(refused.error.find("unset PMIX_RANK and PMIX_NAMESPACE") != std::string::npos);
}

TEST_CASE("more ranks than CPUs are warned of") {
  const Folder folder(example);
  const std::string ranks = std::to_string(::sysconf(_SC_NPROCESSORS_ONLN) + 1);
  const Result result =
      shell(folder, "exec \"$T\" run config.yaml runner=parallel world_size=" + ranks + " --run-dir d",
            {{"TRADEWIND_WORKER", "/bin/false"}});
  CHECK(result.error.find("warning: " + ranks + " ranks share ") != std::string::npos);
}

TEST_CASE("limits of a control group: CPU quota and memory, of the group itself or one above it") {
  const Folder folder(example);
  const auto within = [&](const std::string& controller, const std::string& limits, const std::string& command) {
    return shell(folder, "g=/sys/fs/cgroup/" + controller +
                             "/tradewind-test-$$; mkdir $g 2>/dev/null || exit 77; mkdir $g/b; " + limits +
                             "; bash -c \"echo \\$\\$ > $g/b/cgroup.procs; exec '$T' " + command +
                             "\"; code=$?; rmdir $g/b $g; exit $code");
  };
  const Result quota = within("cpu", "echo 100000 > $g/cpu.cfs_period_us; echo 100000 > $g/cpu.cfs_quota_us",
                              "cluster config.yaml runner=parallel world_size=1 --json");
  if (quota.code != 77) CHECK(Json::parse(quota.output)["threads"] == 1);
  const Result memory =
      within("memory", "echo 50M > $g/memory.limit_in_bytes", "run config.yaml device=cpu --run-dir d");
  if (memory.code == 77) return;  // only root may, and only with version 1
  CAPTURE(memory.error);
  CHECK(memory.code == 1);
  CHECK(memory.error.find("the limit of the control group is 50 MiB") != std::string::npos);
  CHECK(memory.error.find("use more ranks") != std::string::npos);
  CHECK(memory.error.find("the rank needs about ") != std::string::npos);
}
