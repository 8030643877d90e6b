// Paths that mean descriptors, and writing to them.
#include "common/streams.h"
#include "tests/helpers/temporary_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <ostream>
#include <thread>

using namespace tradewind;
namespace fs = std::filesystem;

TEST_CASE("paths that mean a descriptor of this process") {
  CHECK(descriptor_named("/dev/stdout") == 1);
  CHECK(descriptor_named("/dev/stderr") == 2);
  CHECK(descriptor_named("/dev/fd/27") == 27);
  CHECK(descriptor_named("/proc/self/fd/1") == 1);
  CHECK(descriptor_named("/proc/thread-self/fd/1") == 1);
  CHECK(descriptor_named("/proc/" + std::to_string(::getpid()) + "/fd/3") == 3);
  CHECK(descriptor_named("/dev/../dev//./stdout") == 1);
  const test::TemporaryFolder temporary;
  const fs::path& folder = temporary.path;
  fs::create_symlink("/dev/stdout", folder / "a");
  fs::create_symlink("a", folder / "b");
  fs::create_symlink("/dev", folder / "devices");
  fs::create_symlink("loop", folder / "loop");
  CHECK(descriptor_named((folder / "b").string()) == 1);
  CHECK(descriptor_named((folder / "devices/stdout").string()) == 1);
  for (const std::string other : {"/dev/null", "/dev/fd", "/dev/fd/x", "/dev/fd/-1", "/dev/fd/1x", "/proc/1/fd/1", "",
                                  "1", "/dev/fd/99999999999", "/nowhere/stdout"}) {
    CAPTURE(other);
    CHECK_FALSE(descriptor_named(other).has_value());
  }
  CHECK_FALSE(descriptor_named((folder / "loop").string()).has_value());
  CHECK_FALSE(descriptor_named((folder / "file").string()).has_value());
}

TEST_CASE("what can be written to") {
  const int reading = ::open("/dev/null", O_RDONLY), writing = ::open("/dev/null", O_WRONLY),
            own = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  CHECK(why_not_writable(reading) == EBADF);
  CHECK(why_not_writable(writing) == 0);
  CHECK(why_not_writable(own) == EBADF);
  ::close(writing);
  CHECK(why_not_writable(writing) == EBADF);
  ::close(reading);
  ::close(own);
}

TEST_CASE("a descriptor that does not block is waited for; nothing is lost") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  std::string text(1 << 20, 'a');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 % 251);
  std::string got;
  std::thread reader([&] {
    std::array<char, 5000> piece{};
    while (got.size() < text.size()) {
      const ssize_t count = ::read(ends[0], piece.data(), piece.size());
      if (count > 0) got.append(piece.data(), static_cast<std::size_t>(count));
    }
  });
  std::size_t moved = 0;
  CHECK(write_all(ends[1], text, [&](std::size_t count) { moved += count; }) == 0);
  reader.join();
  CHECK(got == text);
  CHECK(moved == text.size());
  std::signal(SIGPIPE, SIG_IGN);
  ::close(ends[0]);
  CHECK(write_all(ends[1], "x") == EPIPE);
  ::close(ends[1]);
}

TEST_CASE("a stream buffer keeps the first error") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  StreamBuffer buffer(full);
  std::ostream out(&buffer);
  out << "text" << std::flush;
  CHECK(out.bad());
  CHECK(buffer.error() == ENOSPC);
  CHECK(write_fault("standard output", "", buffer.error()).message() ==
        "cannot write to standard output: No space left on device");
  ::close(full);
}
