// Real processes, small ones: how a run ends when a worker misbehaves, and that none is left.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "common/errors.h"
#include "launcher/control/control_run.h"
#include "launcher/process/loop.h"
#include "tests/unit/launcher/marked.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;

namespace {

ControlPlan plan_of(const std::map<std::string, std::string>& variables, int ranks, const Mark& mark) {
  ControlPlan plan{.launch = {.command = "compare", .environment = variables, .world_size = ranks},
                   .host = {.name = "h", .worker = TRADEWIND_FAKE_WORKER},
                   .seats = seats_of_host(ranks)};
  plan.launch.environment[mark.name()] = mark.value();
  return plan;
}

Outcome run_ranks(ControlPlan plan, const Limits& limits, Audience& audience) {
  plan.limits = limits;
  return ControlRun(std::move(plan), audience).run();
}

Outcome outcome_of(const std::map<std::string, std::string>& variables, int ranks, Seen& seen, Limits limits = {}) {
  const Mark mark;
  Outcome outcome = run_ranks(plan_of(variables, ranks, mark), limits, seen);
  CHECK(outcome.left_behind.empty());
  CHECK(mark.processes() == 0);
  return outcome;
}
Outcome outcome_of(const std::string& how, int ranks = 1, Limits limits = {}) {
  Seen seen;
  return outcome_of({{"FAKE_WORKER", how}}, ranks, seen, limits);
}

}  // namespace

TEST_CASE("ranks that do well") {
  Seen seen;
  const Outcome outcome = outcome_of({{"FAKE_WORKER", "well"}}, 3, seen);
  CHECK(outcome.status == "done");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.steps == 3);
  CHECK(outcome.seconds.load == 0.25);
  CHECK(outcome.ranks.size() == 3);
  CHECK(outcome.ranks.at(2).host == "h");
  CHECK(outcome.ranks.at(2).device == "cpu");
  CHECK(outcome.ranks.at(2).pid > 1);
  CHECK(outcome.ranks.at(2).peak_rss_bytes >= 1 << 20);
  std::sort(seen.output.begin(), seen.output.end());
  CHECK(seen.output ==
        std::vector<std::string>{"rank 0 of 3, 1 threads", "rank 1 of 3, 1 threads", "rank 2 of 3, 1 threads"});
}

TEST_CASE("exit codes without a word") {
  CHECK(outcome_of("exits_3").exit_code == 3);
  CHECK(outcome_of("exits_0").exit_code == 1);
}

TEST_CASE("a worker's own error is the run's") {
  const Outcome outcome = outcome_of("says_error");
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.error->what == "the input is wrong");
  CHECK(outcome.error->where == "input.grib");
}

TEST_CASE("a signal is named, with the last lines") {
  const Outcome outcome = outcome_of("segfaults");
  CHECK(outcome.exit_code == 139);
  CHECK(outcome.error->what == "the worker was ended by signal 11 (Segmentation fault)");
  CHECK(outcome.error->last_lines == std::vector<std::string>{"about to fall"});
}

TEST_CASE("one rank's fall ends the others, deaf ones too") {
  Seen seen;
  const Outcome outcome = outcome_of(
      {{"FAKE_WORKER", "ignores_term"}, {"FAKE_WORKER_1", "loses_peer"}, {"FAKE_WORKER_2", "segfaults"}}, 4, seen);
  CHECK(outcome.exit_code == 139);
  CHECK(outcome.error->rank == 2);
}

TEST_CASE("a torrent of text goes through and ends") {
  Seen seen;
  const Outcome outcome = outcome_of({{"FAKE_WORKER", "floods_stderr"}}, 1, seen);
  CHECK(outcome.exit_code == 0);
  CHECK(seen.bytes == 400 * 65536 + 9);
  CHECK(seen.error == std::vector<std::string>{"last line"});
}

TEST_CASE("a child that left its group does not outlive the run") { CHECK(outcome_of("forks_child").exit_code == 0); }

TEST_CASE("half a line is no message, and half a line of output is one") {
  Seen seen;
  const Outcome outcome = outcome_of({{"FAKE_WORKER", "half_line"}}, 1, seen);
  CHECK(outcome.exit_code == 1);
  CHECK(seen.output == std::vector<std::string>{"half a line"});
}

TEST_CASE("garbage and endless lines end the run") {
  CHECK(outcome_of("garbage").error->what == "the worker broke the protocol: a line that is not a JSON object");
  CHECK(outcome_of("endless_line").error->what == "the worker broke the protocol: a line of more than 1048576 bytes");
  CHECK(outcome_of("other_version").error->what == "the worker speaks protocol version 99, this launcher version 2");
}

TEST_CASE("a rank that never comes") {
  const Outcome outcome = outcome_of("never_says_hello", 2, {.hello = 100ms});
  CHECK(outcome.exit_code == 75);
  CHECK(outcome.error->rank == 0);
}

TEST_CASE("an interrupt is passed on as a wish, and a second one ends even the deaf") {
  Seen polite;
  polite.on_message = [](int, const proto::Message& message) {
    if (std::holds_alternative<proto::Note>(message)) ::raise(SIGINT);
  };
  const Outcome asked = outcome_of({{"FAKE_WORKER", "stops_on_request"}}, 1, polite);
  CHECK(asked.status == "stopped");
  CHECK(asked.exit_code == 130);

  Seen impatient;
  impatient.on_message = [](int, const proto::Message& message) {
    if (!std::holds_alternative<proto::Note>(message)) return;
    ::raise(SIGINT);
    std::thread([] { ::kill(::getpid(), SIGINT); }).join();
  };
  const Outcome killed = outcome_of({{"FAKE_WORKER", "ignores_term"}}, 1, impatient);
  CHECK(killed.status == "stopped");
  CHECK(killed.exit_code == 130);
}

TEST_CASE("workers go with a launcher that is killed") {
  const Mark mark;
  ControlPlan plan = plan_of({{"FAKE_WORKER", "waits"}}, 2, mark);
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    Seen seen;
    seen.on_message = [&](int, const proto::Message& message) {
      if (std::holds_alternative<proto::Ready>(message)) static_cast<void>(::write(ready[1], "x", 1));
    };
    run_ranks(std::move(plan), {}, seen);
    ::_exit(0);
  }
  ::close(ready[1]);
  char byte = 0;
  for (int i = 0; i < 2; ++i) REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  CHECK(mark.processes() == 2);
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
  for (int tries = 0; tries < 500 && mark.processes() > 0; ++tries) std::this_thread::sleep_for(10ms);
  CHECK(mark.processes() == 0);
}

TEST_CASE("workers inherit nothing but their own descriptors") {
  // Left open here on purpose, without close-on-exec, between and above the descriptors of a worker.
  const int low = ::dup(0), high = ::dup2(0, 200);
  Seen seen;
  const Outcome outcome = outcome_of({{"FAKE_WORKER", "lists_descriptors"}}, 2, seen);
  ::close(low);
  ::close(high);
  CHECK(outcome.exit_code == 0);
  std::sort(seen.output.begin(), seen.output.end());
  CHECK(seen.output == std::vector<std::string>{"rank 0: 0 1 2 3 4", "rank 1: 0 1 2 3 4"});
}

TEST_CASE("signals that are meant for the launcher do not reach a worker, not even before it speaks") {
  boost::asio::io_context context;
  const auto ignored = [&](bool deaf) {
    const Spawned child = spawn(context, {.executable = "/bin/grep",
                                          .arguments = {"^SigIgn", "/proc/self/status"},
                                          .ignores_signals_to_launcher = deaf});
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(child.output.get(), text.data(), text.size()))));
    ::waitpid(child.pid, nullptr, 0);
    return std::stoull(text.substr(text.find(':') + 1), nullptr, 16);
  };
  std::uint64_t expected = 0;
  for (const int number : {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU})
    expected |= std::uint64_t{1} << (number - 1);
  CHECK(ignored(true) == expected);
  CHECK(ignored(false) == 0);
}

TEST_CASE("an executable that cannot start is named") {
  Seen seen;
  const Mark mark;
  ControlPlan plan = plan_of({}, 2, mark);
  plan.host.worker = "/nowhere/worker";
  const Outcome outcome = run_ranks(std::move(plan), {}, seen);
  CHECK(outcome.status == "failed");
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.error->what == "cannot start the worker: No such file or directory");
  CHECK(outcome.error->where == "/nowhere/worker");
  CHECK(outcome.error->remedy == "check that tradewind-worker is installed beside tradewind and is executable");
  CHECK(mark.processes() == 0);
}

TEST_CASE("signals do afterwards what they did before a loop took them") {
  const auto before = [](int number) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    return action.sa_handler;
  };
  const auto nothing = [](int) {};
  const auto kept = std::signal(SIGUSR1, nothing), also_kept = std::signal(SIGHUP, SIG_IGN);
  const auto mine = before(SIGUSR1), of_term = before(SIGTERM);
  for (int attempt = 0; attempt < 2; ++attempt) {
    int seen = 0;
    Loop loop([&](int number) { seen = number; }, [] {});
    CHECK((before(SIGHUP) == SIG_IGN));
    ::raise(SIGUSR1);
    for (int steps = 0; steps < 3 && seen == 0; ++steps) loop.step();
    CHECK(seen == SIGUSR1);
  }
  CHECK((before(SIGUSR1) == mine));
  CHECK((before(SIGTERM) == of_term));
  CHECK((before(SIGHUP) == SIG_IGN));
  std::signal(SIGUSR1, kept);
  std::signal(SIGHUP, also_kept);
}
