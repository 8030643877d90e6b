// What /proc says of real processes.
#include "launcher/watch/process_facts.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "launcher/watch/memory_kills.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/watch/processes.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using tradewind::proto::ProcessFacts;
using namespace std::chrono_literals;

TEST_CASE("state, memory and CPU of a process") {
  const Child loop([] {
    for (std::atomic<int> i = 0;; i.fetch_add(1)) {
    }
  });
  CHECK(loop.becomes([&] { return process_facts(loop.pid).cpu_seconds > 0.01; }));
  CHECK(process_facts(loop.pid).known);
  CHECK(process_facts(loop.pid).state == 'R');
  CHECK(process_facts(loop.pid).tracer == 0);
  CHECK(process_facts(loop.pid).resident_bytes > 4096);
  ::kill(loop.pid, SIGSTOP);
  CHECK(loop.becomes([&] { return process_facts(loop.pid).state == 'T'; }));
}

TEST_CASE("a debugger is seen") {
  const Child child([] {
    while (true) ::pause();
  });
  REQUIRE(::ptrace(PTRACE_SEIZE, child.pid, 0, 0) == 0);
  CHECK(process_facts(child.pid).tracer == ::getpid());
}

TEST_CASE("bytes that a process moves are counted") {
  const Child child([] {
    const int null = ::creat("/dev/null", 0);
    while (true) {
      static_cast<void>(!::write(null, "12345678", 8));
      ::usleep(1000);
    }
  });
  const auto before = process_facts(child.pid).written_characters;
  CHECK(child.becomes([&] { return process_facts(child.pid).written_characters >= before + 80; }));
}

TEST_CASE("what the thread reads that checks the checkpoint is no sign of life") {
  const auto reads = [](const char* name) {
    return [name] {
      std::thread reader([name] {
        ::pthread_setname_np(::pthread_self(), name);
        const int zero = ::open("/dev/zero", O_RDONLY);
        std::array<char, 65536> bytes{};
        while (::read(zero, bytes.data(), bytes.size()) > 0) ::usleep(1000);
      });
      reader.join();
    };
  };
  const Child other(reads("reader"));
  CHECK(other.becomes([&] { return process_facts(other.pid).read_characters > 1U << 20; }));
  const Child check(reads("checksums"));
  CHECK(check.becomes([&] {
    std::ifstream io("/proc/" + std::to_string(check.pid) + "/io");
    std::string name;
    std::uint64_t read = 0;
    return io >> name >> read && name == "rchar:" && read > 1U << 20;
  }));
  CHECK(process_facts(check.pid).read_characters < 65536);
}

TEST_CASE("a thread that a full pipe holds up, with the pipe's path") {
  const tradewind::test::TemporaryFolder folder;
  const std::string path = folder.path / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Child child([&] {
    const int file = ::open(path.c_str(), O_RDWR);
    const std::string piece(4096, 'x');
    while (::write(file, piece.data(), piece.size()) > 0) {
    }
  });
  const auto held = [&] {
    for (const auto& thread : thread_facts(child.pid))
      if (thread.path == path && thread.system_call == "write" && thread.state == 'S') return true;
    return false;
  };
  CHECK(child.becomes(held));
}

TEST_CASE("a thread that sleeps is at no file") {
  const Child child([] {
    while (true) ::pause();
  });
  CHECK(child.becomes([&] { return process_facts(child.pid).state == 'S'; }));
  const auto threads = thread_facts(child.pid);
  REQUIRE(threads.size() == 1);
  CHECK(threads[0].id == child.pid);
  CHECK(threads[0].path.empty());
}

TEST_CASE("a thread that the kernel holds at a file is not for tools") {
  ProcessFacts facts{.known = true,
                     .threads = {{.id = 1, .state = 'S', .system_call = "read", .path = "a"},
                                 {.id = 2, .state = 'D', .system_call = "fork"},
                                 {.id = 3, .state = 'D', .system_call = "pwrite64", .path = "b"}}};
  CHECK(held_thread(facts) == 3);
  facts.threads.pop_back();
  CHECK(held_thread(facts) == 0);
  const Child child([] {
    while (true) ::pause();
  });
  REQUIRE(child.becomes([&] { return process_facts(child.pid).state == 'S'; }));
  const std::string stack = kernel_stack(child.pid, child.pid);
  CHECK(stack.find("TID " + std::to_string(child.pid) + ":\n") != std::string::npos);
  if (std::ifstream("/proc/self/stack").get() != EOF) CHECK(stack.find("\n#0 kernel: ") != std::string::npos);
}

TEST_CASE("a process that is gone has no facts") {
  pid_t pid = 0;
  {
    const Child child([] {});
    pid = child.pid;
  }
  CHECK_FALSE(process_facts(pid).known);
  CHECK(thread_facts(pid).empty());
}

TEST_CASE("memory kills of version 1 groups") {
  const tradewind::test::TemporaryFolder root;
  root.write("proto", "");
  root.write("proc/self/mountinfo",
             "30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
             "31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  root.write("proc/7/cgroup", "8:pids:/\n4:memory:/job/step\n0::/other\n");
  const std::string group = "sys/fs/cgroup/memory/job/step/";
  root.write(group + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  root.write(group + "memory.limit_in_bytes", "1048576\n");
  root.write(group + "memory.max_usage_in_bytes", "1040000\n");
  root.write("proc/vmstat", "nr_free 1\noom_kill 10\n");
  const MemoryKills kills(7, root.path);
  CHECK_FALSE(kills.since_start().has_value());
  CHECK_FALSE(kills.on_host_since_start());
  root.write(group + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  REQUIRE(kills.since_start().has_value());
  CHECK(kills.since_start()->limit_bytes == 1048576);
  CHECK(kills.since_start()->peak_bytes == 1040000);
  CHECK(kills.since_start()->group == "/sys/fs/cgroup/memory/job/step");
  root.write("proc/vmstat", "nr_free 1\noom_kill 11\n");
  CHECK(kills.on_host_since_start());
}

TEST_CASE("memory kills of version 2 groups, mounted in a container") {
  const tradewind::test::TemporaryFolder root;
  root.write("proc/self/mountinfo", "31 25 0:27 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  root.write("proc/7/cgroup", "0::/box/job\n");
  root.write("sys/fs/cgroup/job/memory.events", "low 0\nmax 5\noom 1\noom_kill 0\n");
  root.write("sys/fs/cgroup/job/memory.max", "max\n");
  root.write("sys/fs/cgroup/job/memory.peak", "77\n");
  const MemoryKills kills(7, root.path);
  CHECK_FALSE(kills.since_start().has_value());
  root.write("sys/fs/cgroup/job/memory.events", "low 0\nmax 5\noom 1\noom_kill 1\n");
  REQUIRE(kills.since_start().has_value());
  CHECK(kills.since_start()->limit_bytes == 0);
  CHECK(kills.since_start()->peak_bytes == 77);
}

TEST_CASE("without control groups nothing is claimed") {
  const tradewind::test::TemporaryFolder root;
  const MemoryKills kills(7, root.path);
  CHECK_FALSE(kills.since_start().has_value());
  CHECK_FALSE(kills.on_host_since_start());
}
