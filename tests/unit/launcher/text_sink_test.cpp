#include "launcher/process/text_sink.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>

#include "launcher/agent/rank_logs.h"
#include "tests/helpers/temporary_folder.h"

using namespace tradewind::launcher;
namespace fs = std::filesystem;

namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
  }
  std::string read_all() {
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
      const ssize_t count = ::read(reader.get(), buffer.data(), buffer.size());
      if (count <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  Descriptor reader, writer;
};

}  // namespace

TEST_CASE("a reader that stands still delays no writer, and gets everything in the end") {
  Pipe pipe;
  std::string expected;
  std::thread late;
  {
    TextSink sink(pipe.writer.get(), 100'000);
    for (int i = 0; i < 20'000; ++i) {
      const std::string line = "line " + std::to_string(i) + std::string(200, '.') + "\n";
      sink.write(line);
      expected += line;
    }
    // A pipe holds 64 KiB: nearly all of it waits on disk.
    CHECK(sink.spooled_bytes() > static_cast<std::int64_t>(expected.size()) - 1'000'000);
    late = std::thread([&] {
      std::string text;
      std::array<char, 65536> buffer{};
      while (text.size() < expected.size()) {
        const ssize_t count = ::read(pipe.reader.get(), buffer.data(), buffer.size());
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
      }
      CHECK((text == expected));
    });
  }
  late.join();
}

TEST_CASE("text written after the reader has caught up comes after what waited") {
  Pipe pipe;
  {
    TextSink sink(pipe.writer.get(), 10);
    for (int i = 0; i < 100; ++i) sink.write(std::to_string(i) + ",");
  }
  pipe.writer.reset();
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + ",";
  CHECK(pipe.read_all() == expected);
}

TEST_CASE("a reader that has gone away is not waited for") {
  Pipe pipe;
  pipe.reader.reset();
  std::signal(SIGPIPE, SIG_IGN);
  TextSink sink(pipe.writer.get(), 10);
  for (int i = 0; i < 1000; ++i) sink.write("nobody reads this\n");
  CHECK(sink.finish() == EPIPE);
}

TEST_CASE("what cannot be written is told to who asks, and to the stream") {
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  TextSink sink(full.get());
  SinkBuffer buffer(sink);
  std::ostream stream(&buffer);
  CHECK(sink.error() == 0);
  stream << "lost\n" << std::flush;
  CHECK(sink.finish() == ENOSPC);
  CHECK(sink.error() == ENOSPC);
  stream << "more\n" << std::flush;
  CHECK(stream.bad());
}

TEST_CASE("a stream hands its text over when it is flushed") {
  Pipe pipe;
  {
    TextSink sink(pipe.writer.get());
    SinkBuffer buffer(sink);
    std::ostream stream(&buffer);
    stream << "a" << 1 << '\n' << std::flush << "never flushed";
  }
  pipe.writer.reset();
  CHECK(pipe.read_all() == "a1\n");
}

TEST_CASE("every rank's lines are kept in a file of its own") {
  const tradewind::test::TemporaryFolder folder;
  {
    RankLogs logs(folder / "run");
    CHECK(logs.write(0, "a").empty());
    CHECK(logs.write(11, "b").empty());
    CHECK(logs.write(0, "c").empty());
    RankLogs none("");
    CHECK(none.write(0, "x").empty());
    RankLogs nowhere("/nowhere/run");
    CHECK(nowhere.write(2, "x") ==
          "the lines of rank 2 cannot be kept in /nowhere/run/logs/rank-2.log: cannot make the folder: No such file or "
          "directory");
    CHECK(nowhere.write(2, "y").empty());
  }
  CHECK(tradewind::test::text_of(folder / "run/logs/rank-0.log") == "a\nc\n");
  CHECK(tradewind::test::text_of(folder / "run/logs/rank-11.log") == "b\n");
}
