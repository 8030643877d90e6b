// Small files that may go or resist while they are read.
#include "common/file_text.h"
#include "tests/helpers/temporary_folder.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

using namespace tradewind;

TEST_CASE("the text of a file, and of what is none") {
  const test::TemporaryFolder folder;
  const std::string file = folder / "text";
  const std::string text = std::string(10000, 'a') + '\0' + "end\n";
  test::put_text(file, text);
  CHECK(file_text(file) == text);
  std::filesystem::remove(file);
  CHECK(file_text(file).empty());
  CHECK(file_text("/proc/self").empty());      // opens, but does not read
  CHECK(file_text("/proc/self/mem").empty());  // nothing is at address 0
}

TEST_CASE("a process that goes while its files are read") {
  std::atomic<pid_t> child = ::getpid();
  std::atomic<bool> stop = false;
  std::thread births([&] {
    while (!stop) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(0);
      child = pid;
      ::waitpid(pid, nullptr, 0);
    }
  });
  for (int tries = 0; tries < 5000; ++tries) CHECK_NOTHROW(file_text("/proc/" + std::to_string(child) + "/stat"));
  stop = true;
  births.join();
}
