// Where a rank of a program is, by stacks and frames as the tools write them.
#include "launcher/watch/program_place.h"

#include <doctest/doctest.h>

#include "launcher/watch/program_witness.h"
#include "launcher/watch/python_frames.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Kind = ProgramPlace::Kind;

namespace {

constexpr int pid = 4711;

Testimony testimony(const std::string& stack, const std::string& frames = {}) {
  Testimony one{.stack = stack, .frames = frames};
  one.sample.pid = pid;
  return one;
}

const std::string in_collective =
    "Thread 0x00007f0a (most recent call first):\n"
    "  File \"/usr/lib/python3.11/threading.py\", line 324 in wait\n"
    "\n"
    "Current thread 0x00007f0b (most recent call first):\n"
    "  File \"/v/lib/python3.11/site-packages/torch/distributed/distributed_c10d.py\", line 3013 in all_reduce\n"
    "  File \"/v/lib/python3.11/site-packages/torch/distributed/c10d_logger.py\", line 83 in wrapper\n"
    "  File \"/u/my \"train\".py\", line 45 in step\n"
    "  File \"/u/train.py\", line 60 in <module>\n";

}  // namespace

TEST_CASE("frames of the main thread, which comes last") {
  const auto frames = main_frames(in_collective);
  REQUIRE(frames.size() == 4);
  CHECK(frames[0].function == "all_reduce");
  CHECK(frames[0].line == 3013);
  CHECK(frames[2] == PythonFrame{"/u/my \"train\".py", "step", 45});
  CHECK(text_of(frames[3]) == "<module> at train.py:60");
  REQUIRE(own_frame(frames) != nullptr);
  CHECK(own_frame(frames)->function == "step");
  CHECK(main_frames("").empty());
  CHECK(main_frames("  File \"x\", line").empty());
  CHECK(own_frame({}) == nullptr);
}

TEST_CASE("the frames of a thread that crashed, which comes anywhere") {
  const std::string crash =
      "Thread 0x1 (most recent call first):\n  File \"/u/old.py\", line 1 in asked_before\n"
      "Fatal Python error: Segmentation fault\n\n"
      "Current thread 0x2 (most recent call first):\n  File \"/u/a.py\", line 7 in crashes\n"
      "  File \"/u/a.py\", line 9 in <module>\n\n"
      "Thread 0x1 (most recent call first):\n  File \"/usr/lib/python3.11/threading.py\", line 324 in wait\n\n"
      "Extension modules: numpy (total: 1)\n";
  CHECK(lines_of(fatal_frames(crash)) == std::vector<std::string>{"/u/a.py:7 in crashes", "/u/a.py:9 in <module>"});
  // Aborted by a thread that is none of Python's: the main one, which comes last.
  const std::string abort =
      "Fatal Python error: Aborted\n\nThread 0x1 (most recent call first):\n"
      "  File \"/usr/lib/python3.11/signal.py\", line 82 in sigwait\n\nThread 0x2 (most recent call first):\n"
      "  File \"/u/a.py\", line 89 in main\n\nExtension modules: numpy (total: 1)\n";
  CHECK(lines_of(fatal_frames(abort)) == std::vector<std::string>{"/u/a.py:89 in main"});
  CHECK(fatal_frames(in_collective).empty());
  CHECK(fatal_frames("").empty());
}

TEST_CASE("the last traceback of what a process has written, also with torch's numbers before it") {
  for (const std::string prefix : {"", "[rank12]: "}) {
    CAPTURE(prefix);
    Traceback traceback;
    CHECK(traceback.frames().empty());
    for (const char* line :
         {"a warning", "Traceback (most recent call last):", "  File \"/u/a.py\", line 3, in first", "    first()",
          "KeyError: 'x'", "", "During handling of the above exception, another exception occurred:", "",
          "Traceback (most recent call last):", "  File \"/u/train.py\", line 60, in <module>", "    main()",
          "    ^^^^^^", "  File \"/v/lib/python3.11/site-packages/torch/x.py\", line 7, in wait", "    self.wait()",
          "ValueError: too\tfew", "  and more of it", "a last word"})
      traceback.feed(prefix + line);
    const auto frames = traceback.frames();
    CHECK(lines_of(frames) == std::vector<std::string>{"/v/lib/python3.11/site-packages/torch/x.py:7 in wait",
                                                       "/u/train.py:60 in <module>"});
    CHECK(traceback.message().starts_with("ValueError: too"));
    CHECK(text_of(*own_frame(frames)) == "<module> at train.py:60");
  }
}

TEST_CASE("a collective by its Python frame") {
  const ProgramPlace place = place_of(testimony("", in_collective));
  CHECK(place.kind == Kind::collective);
  CHECK(place.what == "all_reduce");
  CHECK(text_of(place) == "waits in all_reduce (step at my \"train\".py:45)");
}

TEST_CASE("a collective by the stack of the main thread only") {
  const std::string stack =
      "PID 4711 - process\nTID 4711:\n#0  0x00007f00 __futex_abstimed_wait\n"
      "#1  0x00007f01 c10d::Work::wait(std::chrono::duration<long>)\nTID 4712:\n#0  0x00007f02 PMPI_Barrier\n";
  CHECK(place_of(testimony(stack)) == ProgramPlace{Kind::collective, "a collective", ""});
  CHECK(function_names(stack, 4712) == std::vector<std::string>{"PMPI_Barrier"});
  CHECK(function_names(stack, 5).empty());
  const std::string mpi =
      "Thread 1 (Thread 0x7f (LWP 4711) \"a.out\"):\n#0  0x00007f00 in poll () from /lib/libc.so.6\n"
      "#1  0x00007f00 in PMPI_Allreduce () from /lib/libmpi.so\n";
  CHECK(place_of(testimony(mpi)) == ProgramPlace{Kind::collective, "MPI_Allreduce", ""});
  CHECK(place_of(testimony("TID 4711:\n#0 0x1 ncclGroupEnd\n")).what == "ncclGroupEnd");
  CHECK(place_of(testimony("TID 4711:\n#0 0x1 cudaStreamSynchronize\n")).kind == Kind::device);
  CHECK(place_of(testimony("TID 4711:\n#0 0x1 c10d::TCPStore::get(std::string)\n")).what ==
        "the store where ranks meet");
}

TEST_CASE("a file, a sleep, its own code, nothing at all") {
  Testimony file = testimony("TID 4711:\n#0 0x1 read\n");
  file.sample.process.threads = {{.id = pid, .state = 'S', .wchan = "pipe_read", .system_call = "read", .path = "/p"}};
  CHECK(place_of(file) == ProgramPlace{Kind::file, "/p", ""});
  CHECK(place_of(testimony("TID 4711:\n#0 0x1 clock_nanosleep\n")).kind == Kind::sleep);
  CHECK(place_of(testimony("TID 4711:\n#0 0x1 work(int)\n")).kind == Kind::own);
  CHECK(place_of(testimony("")).kind == Kind::unknown);
}

TEST_CASE("who waits for a signal is read from its masks") {
  const std::string status =
      "Name:\tpython\nSigBlk:\t0000002000000000\nSigIgn:\t0000000001001000\n"
      "SigCgt:\t0000001108000002\n";
  CHECK(blocks(status, 38));
  CHECK_FALSE(blocks(status, 37));
  CHECK(catches(status, 37));
  CHECK(catches(status, 2));
  CHECK_FALSE(catches(status, 38));
  CHECK_FALSE(catches("", 37));
  CHECK_FALSE(catches("\nSigCgt:\tzz", 37));
}
