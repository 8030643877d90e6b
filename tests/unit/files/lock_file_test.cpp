// Lock files: one holder, told by name; gone with its holder, however that ends.
#include "common/files/lock_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"

namespace tradewind {
namespace {

namespace fs = std::filesystem;
using test::put_text;
using test::TemporaryFolder;
using test::text_of;

// Why it is refused; empty: it is not.
std::string refusal(const std::string& path) {
  try {
    LockFile::take(path, "the output o.grib", "wait");
  } catch (const UserError& error) {
    CHECK(error.where() == path);
    CHECK(error.remedy() == "wait");
    return error.message();
  }
  return {};
}

TEST_CASE("the way out fits what stands in the way") {
  const TemporaryFolder folder;
  const auto remedy_for = [](const std::string& path) {
    try {
      LockFile::take(path, "the output", "wait");
    } catch (const EnvironmentFault& fault) {
      return fault.message() + "|" + fault.remedy();
    }
    return std::string();
  };
  constexpr std::size_t too_long = 300;
  CHECK(remedy_for(folder / std::string(too_long, 'x')) ==
        "cannot make the lock file: File name too long|give a shorter name");
  CHECK(remedy_for("/dev/full/o.lock").find("Not a directory") != std::string::npos);
}

TEST_CASE("the second is refused and told who holds it; the file goes with the lock") {
  const TemporaryFolder folder;
  const std::string path = folder / "o.grib.lock";
  {
    const LockFile lock = LockFile::take(path, "the output", "");
    CHECK(lock.kept());
    const std::string message = refusal(path);
    CHECK(message.find("the output o.grib is held by another run: process " + std::to_string(::getpid())) == 0);
    CHECK(message.find(" on host ") != std::string::npos);
    CHECK(message.find(" since 20") != std::string::npos);
    CHECK(holder_of_lock(path).value_or("").find("process " + std::to_string(::getpid())) == 0);
    CHECK_THROWS_AS(refuse_if_held(path, "it", ""), UserError);
  }
  CHECK_FALSE(fs::exists(path));
  CHECK_FALSE(holder_of_lock(path));
  CHECK_NOTHROW(refuse_if_held(path, "it", ""));
  CHECK(refusal(path).empty());
}

TEST_CASE("a lock dies with its holder, and the file that is left is no obstacle") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const LockFile lock = LockFile::take(path, "it", "");
    [[maybe_unused]] const ssize_t told = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(refusal(path).find("process " + std::to_string(child)) != std::string::npos);
  CHECK(holder_of_lock(path));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(fs::exists(path));
  CHECK_FALSE(holder_of_lock(path));
  CHECK(refusal(path).empty());
  CHECK_FALSE(fs::exists(path));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a run holds its part from the start, its writer the other: any other run is refused by either") {
  const TemporaryFolder folder;
  const std::string path = folder / "o.grib.lock", own = "process 7 on host a since then",
                    other = "process 8 on host b";
  const auto take = [&](LockPart part, const std::string& words) {
    return LockFile::take(path, "the output", "wait", part, words);
  };
  const auto refused = [&](LockPart part, const std::string& words) {
    try {
      take(part, words);
    } catch (const UserError& error) {
      return error.message();
    }
    return std::string();
  };
  {
    const LockFile run = take(LockPart::run, own);
    CHECK(refused(LockPart::run, other) == "the output is held by another run: " + own);
    CHECK(refused(LockPart::writer, other) == "the output is held by another run: " + own);
    CHECK(refused(LockPart::all, other) == "the output is held by another run: " + own);
    {
      const LockFile writer = take(LockPart::writer, own);
      CHECK(writer.kept());
      CHECK(refused(LockPart::run, other) == "the output is held by another run: " + own);
      CHECK(holder_of_lock(path) == own);
    }
    CHECK(fs::exists(path));  // still the run's
    CHECK(holder_of_lock(path) == own);
  }
  CHECK_FALSE(fs::exists(path));
  std::optional<LockFile> run = take(LockPart::run, own);
  std::optional<LockFile> writer = take(LockPart::writer, own);
  run.reset();  // the launcher is gone, its worker not yet
  CHECK(refused(LockPart::run, other) == "the output is held by another run: " + own);
  CHECK(refused(LockPart::writer, other) == "the output is held by another run: " + own);
  writer.reset();
  CHECK_FALSE(fs::exists(path));
  // A writer without a run of its own holds both.
  const LockFile alone = take(LockPart::writer, own);
  CHECK(refused(LockPart::run, other) == "the output is held by another run: " + own);
  CHECK(holder_of_lock(path) == own);
}

TEST_CASE("what stands at the lock's name is never followed, believed or written through") {
  const TemporaryFolder folder;
  put_text(folder / "precious", "precious");
  const std::string link = folder / "link", second = folder / "second", pipe = folder / "pipe", file = folder / "file";
  fs::create_symlink("precious", link);
  fs::create_hard_link(folder / "precious", second);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  put_text(file, "somebody's own");
  fs::create_directory(folder / "folder");
  for (const std::string& path : {link, second, pipe, file, folder / "folder"})
    CHECK_THROWS_WITH_AS(LockFile::take(path, "it", ""), doctest::Contains("is no lock file"), EnvironmentFault);
  CHECK(text_of(folder / "precious") == "precious");
  CHECK(text_of(file) == "somebody's own");
  put_text(folder / "empty", "");
  CHECK(refusal(folder / "empty").empty());
  CHECK_THROWS_AS(LockFile::take(folder / "no/lock", "it", ""), EnvironmentFault);
}

TEST_CASE("an empty file that somebody holds by flock is his, and stays") {
  const TemporaryFolder folder;
  const std::string path = folder / "o.grib.lock";
  const auto held = [&](int how) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    REQUIRE(::flock(file.get(), how) == 0);
    return file;
  };
  for (const LockPart part : {LockPart::all, LockPart::run, LockPart::writer}) {
    const Descriptor somebody = held(LOCK_EX);
    CHECK_THROWS_WITH_AS(LockFile::take(path, "it", "", part), doctest::Contains("holds this file by flock"),
                         EnvironmentFault);
    CHECK(fs::file_size(path) == 0);
  }
  CHECK(refusal(path).empty());  // nobody's any more
  CHECK_FALSE(fs::exists(path));
  const LockFile lock = LockFile::take(path, "it", "");
  const Descriptor late(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(late.get(), LOCK_EX) == 0);  // is told by its words all the same
  CHECK(refusal(path).starts_with("the output o.grib is held by another run: process "));
}

TEST_CASE("what a holder has told goes to nobody's terminal raw") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  const LockFile lock = LockFile::take(path, "it", "");
  put_text(path, "\x1b]0;title\x07 and\xff\nmore");
  CHECK(holder_of_lock(path) == "?]0;title? and?");
}

TEST_CASE("somebody's lock for reading keeps nobody out") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  put_text(path, "process 1, long gone");
  const Descriptor stranger(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct flock reading {};
  reading.l_type = F_RDLCK;
  REQUIRE(::fcntl(stranger.get(), F_OFD_SETLK, &reading) == 0);
  CHECK_FALSE(holder_of_lock(path));
  const LockFile lock = LockFile::take(path, "it", "");
  CHECK_FALSE(refusal(path).empty());
}

TEST_CASE("who has just taken it is given the time to tell his name") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  const Descriptor holder(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock writing {};
  writing.l_type = F_WRLCK;
  REQUIRE(::fcntl(holder.get(), F_OFD_SETLK, &writing) == 0);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    put_text(path, "process 7 on host late");
  });
  const std::string message = refusal(path);
  later.join();
  CHECK(message == "the output o.grib is held by another run: process 7 on host late");
}

TEST_CASE("taking and leaving at once never gives it to two") {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  std::atomic<int> inside = 0, together = 0, taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        try {
          const LockFile lock = LockFile::take(path, "it", "");
          if (++inside > 1) ++together;
          ++taken;
          --inside;
        } catch (const UserError&) {
        } catch (const EnvironmentFault&) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(together == 0);
  CHECK(taken > 0);
}

}  // namespace
}  // namespace tradewind
