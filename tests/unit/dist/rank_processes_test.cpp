#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/helpers/temporary_folder.h"

namespace {

// Through which the ranks of a test meet; it stays until they have ended.
struct StoreFile {
  tradewind::test::TemporaryFolder folder;
  std::string path = folder / "store";
};

struct Process {
  pid_t pid;
  int output;  // read end of its stdout
};

struct Ended {
  int status;  // as waitpid gives it
  std::string output;
  int exit_code() const { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
};

struct Limits {
  int join_ms, timeout_ms;
};

// Longer than any test should take, even on a busy machine: nothing here is expected to run into it.
constexpr int kNever = 300'000;
constexpr Limits kPatient{kNever, kNever}, kBrief{kNever, 20'000};

Process start(const StoreFile& store, int rank, int world_size, Limits limits, const std::string& behaviour) {
  const std::vector<std::string> words = {TRADEWIND_RANK_PROCESS,
                                          std::to_string(rank),
                                          std::to_string(world_size),
                                          store.path,
                                          std::to_string(limits.join_ms),
                                          std::to_string(limits.timeout_ms),
                                          behaviour};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2] = {-1, -1};
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(arguments[0], arguments.data());
    _exit(98);
  }
  close(ends[1]);
  return {pid, ends[0]};
}

Ended collect(const Process& process) {
  Ended ended{};
  char buffer[4096];
  for (ssize_t got = 0; (got = read(process.output, buffer, sizeof(buffer))) > 0;) {
    ended.output.append(buffer, static_cast<std::size_t>(got));
  }
  close(process.output);
  REQUIRE(waitpid(process.pid, &ended.status, 0) == process.pid);
  return ended;
}

std::vector<Process> start_all(const StoreFile& store, int world_size, Limits limits, const std::string& behaviour) {
  std::vector<Process> processes;
  processes.reserve(static_cast<std::size_t>(world_size));
  for (int rank = 0; rank < world_size; ++rank) {
    processes.push_back(start(store, rank, world_size, limits, behaviour));
  }
  return processes;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("processes exchange rows and count them") {
  for (const int ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    const StoreFile store;
    for (const Process& process : start_all(store, ranks, kPatient, "work")) {
      const Ended ended = collect(process);
      CHECK(ended.exit_code() == 0);
      // 8 rows of 1 MiB to each other rank, then one.
      CHECK(ended.output == "done " + std::to_string(9LL * (ranks - 1) << 20) + "\n");
    }
  }
}

TEST_CASE("a killed peer ends the others' collective, by name") {
  for (const char* behaviour : {"die-before", "die-within"}) {
    for (const int ranks : {2, 3, 4}) {
      CAPTURE(behaviour);
      CAPTURE(ranks);
      const bool within = std::string(behaviour) == "die-within";
      const StoreFile store;
      const std::vector<Process> processes = start_all(store, ranks, within ? kBrief : kPatient, behaviour);
      for (int rank = 0; rank < ranks; ++rank) {
        const Ended ended = collect(processes[static_cast<std::size_t>(rank)]);
        CAPTURE(ended.output);
        if (rank == ranks - 1) {
          CHECK(WIFSIGNALED(ended.status));
          continue;
        }
        CHECK(ended.exit_code() == 1);
        // Not by the timeout, which would say so; but Gloo can miss that the receiver of rows on their way has died.
        CHECK((contains(ended.output, "lost a peer") || (within && contains(ended.output, "did not answer within"))));
        CHECK(!contains(ended.output, "typically"));  // Gloo's own guesses
        // What a rank sends can be gone before the death shows: then the next collective meets it.
        CHECK((contains(ended.output, "'encoder/halo', collective 2 (all_to_all)") ||
               contains(ended.output, "'decoder/gather', collective 3 (all_gather)")));
      }
    }
  }
}

TEST_CASE("a stopped peer ends the others' collective at its timeout") {
  const StoreFile store;
  const std::vector<Process> processes = start_all(store, 3, {kNever, 4'000}, "stop");
  int timeouts = 0;
  for (int rank = 0; rank < 2; ++rank) {
    const Ended ended = collect(processes[static_cast<std::size_t>(rank)]);
    CAPTURE(ended.output);
    CHECK(ended.exit_code() == 1);
    CHECK(contains(ended.output, "'encoder/halo', collective 2 (all_to_all)"));
    if (contains(ended.output, "did not answer within 4 s")) ++timeouts;
  }
  CHECK(timeouts >= 1);  // the other may see its neighbour leave first
  kill(processes[2].pid, SIGKILL);
  CHECK(WIFSIGNALED(collect(processes[2]).status));
}

TEST_CASE("ranks that never come are named") {
  const StoreFile store;
  const Process master = start(store, 0, 3, {500, kNever}, "work");
  const Ended ended = collect(master);
  CAPTURE(ended.output);
  CHECK(ended.exit_code() == 75);
  CHECK(contains(ended.output, "of 3 ranks these did not come within 0.5 s: 1, 2"));
  CHECK(contains(ended.output, "master 127.0.0.1"));
}

TEST_CASE("a rank that comes twice is refused") {
  const StoreFile store;
  std::vector<Process> processes;
  for (const int rank : {0, 1, 1}) processes.push_back(start(store, rank, 3, kPatient, "work"));
  // Rank 2 never comes, so only the refused one ends by itself.
  siginfo_t info{};
  REQUIRE(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
  for (const Process& process : processes) {
    if (process.pid != info.si_pid) kill(process.pid, SIGKILL);
    const Ended ended = collect(process);
    CAPTURE(ended.output);
    CHECK(contains(ended.output, "rank 1 came twice") == (process.pid == info.si_pid));
  }
}
