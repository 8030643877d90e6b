#include "launcher/watch/stacks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <memory>

#include "launcher/watch/process_facts.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/watch/processes.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;
using namespace std::chrono_literals;

extern "C" [[gnu::noinline]] void waits_for_the_test() {
  while (true) ::pause();
}

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// A process in a call of the kernel; before that it is on its way there.
struct Waiting : Child {
  Waiting() : Child(waits_for_the_test) {
    REQUIRE(becomes([this] { return process_facts(pid).state == 'S'; }));
  }
};

// A folder with one tool: the machine's, or a script. False where the machine has none.
struct Tools : tradewind::test::TemporaryFolder {
  bool take(const std::string& name) const {
    std::filesystem::create_symlink("/usr/bin/" + name, path / name);
    return ::access((path / name).c_str(), X_OK) == 0;
  }
  void script(const std::string& text) const {
    write("gdb", "#!/bin/sh\n" + text);
    std::filesystem::permissions(path / "gdb", std::filesystem::perms::owner_all);
  }
};

bool lacks_tools() {
  if (::access("/usr/bin/eu-stack", X_OK) == 0 || ::access("/usr/bin/gdb", X_OK) == 0) return false;
  MESSAGE("skipped: neither eu-stack nor gdb is here");
  return true;
}

}  // namespace

TEST_CASE("either tool names the function that another process is in") {
  const Waiting child;
  for (const char* name : {"eu-stack", "gdb"}) {
    const Tools tools;
    if (!tools.take(name)) {
      MESSAGE("skipped: no ", name, " is here");
      continue;
    }
    boost::asio::io_context context;
    Stacks stacks(context, {tools.path});
    std::string text, late = "untouched";
    stacks.collect(child.pid, in(60s), [&](std::string stack) { text = std::move(stack); });
    stacks.collect(child.pid, in(-1s), [&](std::string stack) { late = std::move(stack); });
    context.run();
    CHECK(text.find("waits_for_the_test") != std::string::npos);
    CHECK(late.empty());
    CHECK(child.becomes([&] { return process_facts(child.pid).state == 'S'; }));
  }
}

TEST_CASE("eight tools work at once, and none is waited for beyond the cap") {
  const Waiting child;
  const Tools tools;
  tools.script("sleep 1; echo '#0 here'");
  boost::asio::io_context context;
  Stacks stacks(context, {tools.path});
  std::vector<std::string> texts;
  for (int i = 0; i < 12; ++i)
    stacks.collect(child.pid, in(11s), [&](std::string text) { texts.push_back(std::move(text)); });
  context.run();
  CHECK(texts == std::vector<std::string>(12, "#0 here\n"));

  context.restart();
  tools.script("echo '#0 there'; exec sleep 60");
  const auto begin = std::chrono::steady_clock::now(), until = begin + 2s;
  texts.clear();
  for (int i = 0; i < 9; ++i)
    stacks.collect(child.pid, until, [&](std::string text) { texts.push_back(std::move(text)); });
  context.run();
  CHECK(std::count(texts.begin(), texts.end(), "#0 there\n") == 8);
  CHECK(std::count(texts.begin(), texts.end(), "") == 1);  // its turn came too late
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("a tool that traces is told from a debugger of the user's") {
  const Waiting child;
  const Tools tools;
  tools.script("sleep 1");
  boost::asio::io_context context;
  Stacks stacks(context, {tools.path});
  CHECK_FALSE(stacks.is_tool(0));
  CHECK_FALSE(stacks.is_tool(-1));
  bool done = false;
  stacks.collect(child.pid, in(60s), [&](const std::string& text) { done = text.empty(); });
  pid_t tool = 0;
  constexpr pid_t most = 1 << 22;  // of 64-bit Linux
  for (pid_t pid = 1; pid < most && tool == 0; ++pid)
    if (stacks.is_tool(pid)) tool = pid;
  CHECK(tool != 0);
  context.run();
  CHECK(done);
  CHECK_FALSE(stacks.is_tool(tool));
}

TEST_CASE("a process goes on when the tool that looks at it is cut short, unless it was stopped before") {
  if (lacks_tools()) return;
  const Waiting child;
  boost::asio::io_context context;
  const auto cut_after = [&](std::chrono::milliseconds time) {
    Stacks stacks(context);
    stacks.collect(child.pid, in(time), [](const std::string&) {});
    context.run();
    context.restart();
  };
  for (int time = 1; time <= 200; time += 10) {
    cut_after(std::chrono::milliseconds(time));
    CHECK(child.becomes([&] { return process_facts(child.pid).state == 'S'; }));
  }
  ::kill(child.pid, SIGSTOP);
  REQUIRE(child.becomes([&] { return process_facts(child.pid).state == 'T'; }));
  cut_after(20ms);
  CHECK(process_facts(child.pid).state == 'T');
}

TEST_CASE("whoever gets the id of a process that has gone meanwhile is left alone") {
  std::ofstream last("/proc/sys/kernel/ns_last_pid");
  if (!last.is_open()) return;  // only root may choose a process's id
  const Tools tools;
  tools.script("exec sleep 60");
  boost::asio::io_context context;
  Stacks stacks(context, {tools.path});
  auto first = std::make_unique<Waiting>();
  const pid_t id = first->pid;
  stacks.collect(id, in(2s), [](const std::string&) {});
  first.reset();
  std::unique_ptr<Child> second;
  for (int tries = 0; tries < 200 && (!second || second->pid != id); ++tries) {
    last.seekp(0);
    last << id - 1 << std::flush;
    second = std::make_unique<Child>([] { ::raise(SIGSTOP); });
  }
  if (second->pid != id) {
    MESSAGE("skipped: another process has taken the id");
    return;
  }
  REQUIRE(second->becomes([&] { return process_facts(id).state == 'T'; }));
  context.run();
  CHECK(process_facts(id).state == 'T');
}

TEST_CASE("a tool that was cut short before its first frame has told no stack") {
  CHECK(stack_in("[New LWP 21]\n[New LWP 25]\n").empty());
  CHECK(stack_in("PID 7\nTID 7:\n#0  0x01 pause\n") == "PID 7\nTID 7:\n#0  0x01 pause\n");
  CHECK(stack_in("#0 here") == "#0 here");
}
