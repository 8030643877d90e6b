// Launchers without a common parent, as srun, mpirun and torchrun start them: real processes on one host, over TCP.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>
#include <utility>

#include "common/errors.h"
#include "launcher/agent/member_run.h"
#include "launcher/control/control_run.h"
#include "launcher/launch/meeting_place.h"
#include "launcher/wire/token.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/launcher/marked.h"
#include "tests/unit/launcher/stranger.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

using Variables = std::map<std::string, std::string>;

Seats seat(int rank) { return {.ranks = {rank}, .local_ranks = {rank}}; }

// Rank 0's launcher is this process, or a child; the others are children.
class Crew {
 public:
  Crew(int ranks, Variables variables, Limits limits = {}) : ranks_(ranks), variables_(std::move(variables)) {
    variables_[mark.name()] = mark.value();
    variables_["FAKE_WORKER_FILE"] = folder / "go";
    limits_ = limits;
  }
  ~Crew() {
    for (const auto& [rank, pid] : members) ::kill(pid, SIGKILL);
    leave_codes();
  }
  std::string file() const { return control_path(folder.path, "1234.0"); }
  ControlPlan plan() const {
    ControlPlan plan{.launch = {.command = "compare", .environment = variables_, .world_size = ranks_},
                     .host = {.name = "host-a", .worker = TRADEWIND_FAKE_WORKER, .cpus = {0, 1, 2, 3}},
                     .seats = seat(0),
                     .reach = Reach{.token = make_token(), .listener = listen_on({}, 0), .control_file = file()},
                     .limits = limits_};
    return plan;
  }
  void start_member(int rank) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(member(rank));
    members[rank] = pid;
  }
  void start_members() {
    for (int rank = 1; rank < ranks_; ++rank) start_member(rank);
  }
  // Also what srun would be: a whole run in this process.
  Outcome run(Audience& audience) {
    start_members();
    ControlRun run(plan(), audience);
    Outcome outcome = run.run();
    run.dismiss();
    return outcome;
  }
  std::map<int, int> leave_codes() {
    std::map<int, int> codes;
    for (const auto& [rank, pid] : members) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      codes[rank] = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    members.clear();
    return codes;
  }
  bool empties_within(std::chrono::seconds time) const {
    const auto end = std::chrono::steady_clock::now() + time;
    while (mark.processes() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(20ms);
    return mark.processes() == 0;
  }
  void go() const { folder.write("go", "go"); }

  Mark mark;
  test::TemporaryFolder folder;
  std::map<int, pid_t> members;

 private:
  int member(int rank) const {
    try {
      return run_member({.world_size = ranks_,
                         .host = {.name = "host-" + std::string(1, static_cast<char>('a' + rank)),
                                  .worker = TRADEWIND_FAKE_WORKER,
                                  .cpus = {0, 1, 2, 3}},
                         .seats = seat(rank),
                         .look = {[path = file()] { return read_control(path); }},
                         .wait = limits_.hello,
                         .patience = limits_.patience});
    } catch (const Error& error) {
      return static_cast<int>(error.exit_code());
    }
  }
  int ranks_;
  Variables variables_;
  Limits limits_;
};

// Calls `all_ready` once every worker is ready, with their processes.
struct WhenReady : Seen {
  WhenReady(int ranks, std::function<void(const std::map<int, pid_t>&)> tell) {
    on_message = [this, ranks, all_ready = std::move(tell)](int rank, const proto::Message& message) {
      if (const auto* hello = std::get_if<proto::Hello>(&message)) pids[rank] = hello->pid;
      if (std::holds_alternative<proto::Ready>(message) && ++ready == ranks) all_ready(pids);
    };
  }
  std::map<int, pid_t> pids;
  int ready = 0;
};

const std::map<int, int> codes_of_three(int code) { return {{1, code}, {2, code}, {3, code}}; }

}  // namespace

TEST_CASE("launchers that share a folder meet, and all leave with the run's code") {
  Crew crew(4, {{"FAKE_WORKER", "well"}});
  Seen seen;
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.status == "done");
  CHECK(outcome.ranks.at(0).host == "host-a");
  CHECK(outcome.ranks.at(3).host == "host-d");
  std::sort(seen.output.begin(), seen.output.end());
  CHECK(seen.output.size() == 4);
  CHECK(seen.output.at(3) == "rank 3 of 4, 4 threads");
  CHECK(crew.leave_codes() == codes_of_three(0));
  CHECK(crew.mark.processes() == 0);
  CHECK_FALSE(fs::exists(crew.file()));
}

TEST_CASE("one rank's failure is every launcher's code") {
  Crew crew(4, {{"FAKE_WORKER", "waits"}, {"FAKE_WORKER_2", "exits_3"}});
  Seen seen;
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.exit_code == 3);
  CHECK(outcome.error->rank == 2);
  CHECK(crew.leave_codes() == codes_of_three(3));
  CHECK(crew.mark.processes() == 0);
}

TEST_CASE("a rank that is killed is named, and nothing is left") {
  Crew crew(4, {{"FAKE_WORKER", "waits"}});
  std::chrono::steady_clock::time_point killed;
  WhenReady seen(4, [&](const std::map<int, pid_t>& pids) {
    killed = std::chrono::steady_clock::now();
    ::kill(pids.at(2), SIGKILL);
  });
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.exit_code == 137);
  CHECK(outcome.error->rank == 2);
  CHECK(outcome.error->what == "the worker was ended by signal 9 (Killed)");
  CHECK(crew.leave_codes() == codes_of_three(137));
  CHECK(crew.mark.processes() == 0);
  CHECK(std::chrono::steady_clock::now() - killed < 5s);
}

TEST_CASE("a launcher that is killed takes its rank with it, and the run ends") {
  Crew crew(4, {{"FAKE_WORKER", "waits"}});
  WhenReady seen(4, [&](const auto&) { ::kill(crew.members.at(3), SIGKILL); });
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.error->rank == 3);
  CHECK(outcome.error->what.find("the launcher of rank 3 on host-d is gone: ") == 0);
  CHECK(crew.leave_codes() == std::map<int, int>{{1, 1}, {2, 1}, {3, 137}});
  CHECK(crew.empties_within(7s));
}

TEST_CASE("a launcher that stands still is lost after 5 s") {
  Crew crew(2, {{"FAKE_WORKER", "waits"}});
  WhenReady seen(2, [&](const auto&) { ::kill(crew.members.at(1), SIGSTOP); });
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.error->what.find("nothing was heard of it for 5 s") != std::string::npos);
  // Once it goes on it finds its controller gone.
  ::kill(crew.members.at(1), SIGCONT);
  CHECK(crew.leave_codes().at(1) != 0);
  CHECK(crew.empties_within(7s));
}

TEST_CASE("when rank 0's launcher is killed, all go, on every host") {
  Crew crew(4, {{"FAKE_WORKER", "waits"}});
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t controller = ::fork();
  if (controller == 0) {
    WhenReady seen(4, [&](const auto&) { static_cast<void>(::write(ready[1], "x", 1)); });
    ControlRun(crew.plan(), seen).run();
    ::_exit(0);
  }
  crew.start_members();
  ::close(ready[1]);
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  CHECK(crew.mark.processes() == 4);
  ::kill(controller, SIGKILL);
  ::waitpid(controller, nullptr, 0);
  CHECK(crew.empties_within(7s));
  CHECK(crew.leave_codes() == codes_of_three(1));
}

TEST_CASE("a signal to any launcher stops the run in order") {
  Crew crew(3, {{"FAKE_WORKER", "stops_on_request"}});
  int waiting = 0;
  Seen seen;
  seen.on_message = [&](int, const proto::Message& message) {
    if (std::holds_alternative<proto::Note>(message) && ++waiting == 3) ::kill(crew.members.at(2), SIGTERM);
  };
  const Outcome outcome = crew.run(seen);
  CHECK(outcome.status == "stopped");
  CHECK(outcome.exit_code == 143);
  CHECK(crew.leave_codes() == std::map<int, int>{{1, 143}, {2, 143}});
  CHECK(crew.mark.processes() == 0);
}

TEST_CASE("a rank that does not come ends the run with 75 everywhere") {
  Crew crew(3, {{"FAKE_WORKER", "well"}}, {.hello = 1s});
  crew.start_member(1);
  Seen seen;
  ControlRun run(crew.plan(), seen);
  const Outcome outcome = run.run();
  run.dismiss();
  CHECK(outcome.exit_code == 75);
  CHECK(outcome.error->what == "2 of 3 ranks came within 1 s; missing: 2; came from: host-a, host-b");
  CHECK(crew.leave_codes() == std::map<int, int>{{1, 75}});
}

TEST_CASE("a member without a controller says so and leaves with 75") {
  Crew crew(2, {}, {.hello = 500ms});
  crew.start_member(1);
  CHECK(crew.leave_codes() == std::map<int, int>{{1, 75}});
  const std::string file = crew.file();
  CHECK_THROWS_WITH_AS(
      run_member(
          {.world_size = 2,
           .host = {.name = "host-b", .worker = TRADEWIND_FAKE_WORKER},
           .seats = seat(1),
           .look = {.find = [file] { return read_control(file); }, .lack = [file] { return control_lack(file); }},
           .wait = 1s}),
      ("host-b: rank 1 did not find the launcher of rank 0 within 1 s: there is no " + file +
       "\n  remedy: see whether rank 0 started; the run folder (--run-dir) must be on a file system that all hosts "
       "share, else set TRADEWIND_CONTROL and TRADEWIND_TOKEN for every rank; under torchrun, "
       "TRADEWIND_CONTROL=torchrun "
       "will do")
          .c_str(),
      EnvironmentFault);
}

TEST_CASE("a launcher of another version is told at once, by one that knows the job") {
  const std::string token = make_token();
  const Descriptor listener = listen_on("127.0.0.1", 0);
  const std::vector<ControlAddress> found = {{.addresses = {"127.0.0.1"}, .port = port_of(listener), .token = token}};
  // As rank 0's launcher of version 3: it knows the token, or another, and refuses who joins, or goes without a word.
  const auto told = [&](const std::string& known, bool refuses) {
    std::atomic<bool> over = false;
    std::thread other([&] {
      while (true) {
        const Descriptor socket(::accept(listener.get(), nullptr, nullptr));
        if (over) return;
        Nonces nonces{.controller = make_nonce(), .agent = {}, .version = 3};
        say(socket, proto::encode_control(proto::Challenge{.version = 3, .nonce = nonces.controller}));
        const std::string line = next_line(socket);
        if (line.empty()) continue;
        nonces.agent = std::get<proto::Prove>(proto::decode_control(line)).nonce;
        say(socket, proto::encode_control(proto::Proven{proof_of(End::controller, known, nonces)}));
        const std::string joining = next_line(socket);
        if (joining.empty() || !refuses) continue;
        Seal incoming(End::agent, known, nonces), outgoing(End::controller, known, nonces);
        const auto join = std::get<proto::Join>(proto::decode_control(incoming.open(joining)));
        const std::string no = proto::encode_control(proto::Refused{.what = "version " + std::to_string(join.version)});
        say(socket, outgoing.seal({no.data(), no.size() - 1}) + "\n");
        next_line(socket);
      }
    });
    std::string what;
    try {
      run_member({.world_size = 2,
                  .host = {.name = "host-b", .worker = TRADEWIND_FAKE_WORKER},
                  .seats = seat(1),
                  .look = {.find = [&] { return found.front(); }},
                  .wait = 1s});
    } catch (const Error& error) {
      what = error.message();
    }
    over = true;
    connect_to(port_of(listener));
    other.join();
    return what;
  };
  CHECK(told(token, true) == "version 2");
  CHECK(told(token, false) == "the launcher of rank 0 speaks version 3 of the control protocol, that of rank 1 2");
  // Who does not know the token may say what he likes.
  CHECK(told("another", false).find("within 1 s") != std::string::npos);
}

TEST_CASE("a control file that an earlier run has left misleads nobody") {
  Crew crew(2, {{"FAKE_WORKER", "well"}});
  // Somebody listens at the old port, and says nothing.
  const Descriptor other = listen_on("127.0.0.1", 0);
  write_control(crew.file(), {.addresses = {"127.0.0.1"}, .port = port_of(other), .token = "old"});
  crew.start_members();
  std::this_thread::sleep_for(300ms);
  Seen seen;
  ControlRun run(crew.plan(), seen);
  CHECK(run.run().status == "done");
  run.dismiss();
  CHECK(crew.leave_codes().at(1) == 0);
}

TEST_CASE("the control file is its owner's alone, and only such a one is read") {
  Crew crew(2, {});
  const ControlAddress address{.addresses = {"10.0.0.1", "::1"}, .port = 4000, .token = "secret"};
  write_control(crew.file(), address);
  struct stat status {};
  REQUIRE(::stat(crew.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(read_control(crew.file()) == address);
  remove_control(crew.file(), {.token = "another"});
  CHECK(fs::exists(crew.file()));
  ::chmod(crew.file().c_str(), 0644);
  CHECK_FALSE(read_control(crew.file()));
  CHECK(control_lack(crew.file()) == crew.file() + " can be read by others, so that nobody may trust it");
  ::chmod(crew.file().c_str(), 0600);
  fs::rename(crew.file(), crew.folder / "elsewhere");
  fs::create_symlink(crew.folder / "elsewhere", crew.file());
  CHECK_FALSE(read_control(crew.file()));
  fs::remove(crew.file());
  std::ofstream(crew.file()) << "{\"addresses\":";
  ::chmod(crew.file().c_str(), 0600);
  CHECK_FALSE(read_control(crew.file()));
  CHECK_THROWS_AS(write_control("/nowhere/control.json", address), EnvironmentFault);
}

TEST_CASE("the controller's address by variables") {
  const auto control = [](const std::string& text, const std::string& token = "t") {
    return control_of(Environment({{"TRADEWIND_CONTROL", text}, {"TRADEWIND_TOKEN", token}}));
  };
  CHECK_FALSE(control_of(Environment()));
  CHECK(control("10.0.0.1:80,[fe80::1]:80") ==
        ControlAddress{.addresses = {"10.0.0.1", "fe80::1"}, .port = 80, .token = "t"});
  CHECK(control_text(*control("a:1,[::1]:1")) == "a:1,[::1]:1");
  for (const char* bad : {"a", "a:", "a:b", "a:0", "a:65536", ":1", "a:1,b:2"})
    CHECK_THROWS_AS(control(bad), UserError);
  CHECK_THROWS_AS(control("a:1", ""), UserError);
}
