// Files that appear whole or not at all, in folders that may hold what others have prepared.
#include "common/files/whole_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"

namespace tradewind {
namespace {

namespace fs = std::filesystem;
using test::put_text;
using test::TemporaryFolder;
using test::text_of;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("a file has its name only when it is whole, and the older one stays until then") {
  const TemporaryFolder folder;
  put_text(folder / "f", "old");
  {
    WholeFile file(folder / "f");
    file.write("new, ");
    CHECK(text_of(folder / "f") == "old");
    CHECK(folder.entries() == 2);
    file.write("all of it");
    file.publish();
    CHECK(text_of(folder / "f") == "new, all of it");
  }
  {
    WholeFile file(folder / "f");
    file.write("never done");
  }
  CHECK(text_of(folder / "f") == "new, all of it");
  CHECK(folder.entries() == 1);
}

TEST_CASE("links are replaced, never followed, and the name beside cannot be prepared") {
  const TemporaryFolder folder;
  put_text(folder / "precious", "precious");
  fs::create_symlink("precious", folder / "f");
  fs::create_symlink("precious", folder / "f.partial");
  fs::create_hard_link(folder / "precious", folder / "g");
  write_whole(folder / "f", "mine");
  write_whole(folder / "g", "mine");
  CHECK(text_of(folder / "precious") == "precious");
  CHECK_FALSE(fs::is_symlink(folder / "f"));
  CHECK(text_of(folder / "f") == "mine");
  CHECK(text_of(folder / "g") == "mine");
  fs::create_symlink("nowhere", folder / "dangling");
  write_whole(folder / "dangling", "mine");
  CHECK_FALSE(fs::exists(folder / "nowhere"));
}

TEST_CASE("its mode is the one asked for, less the umask") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_whole(folder / "a", "");
  write_whole(folder / "b", "", {.mode = 0600});
  ::umask(before);
  CHECK(mode_of(folder / "a") == 0640);
  CHECK(mode_of(folder / "b") == 0600);
}

TEST_CASE("a pipe is written in order, and stays a pipe") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  try_whole(folder / "pipe");  // does not wait for a reader
  std::string got;
  std::thread reader([&] { got = text_of(folder / "pipe"); });
  write_whole(folder / "pipe", "through");
  reader.join();
  CHECK(got == "through");
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK(folder.entries() == 1);
}

TEST_CASE("the name of a stream is written to and never replaced; a pipe that nobody reads is an error") {
  const TemporaryFolder folder;
  put_text(folder / "log", "first\n");
  const Descriptor stream(::open((folder / "log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  fs::create_symlink("/dev/fd/" + std::to_string(stream.get()), folder / "name");
  write_whole("/dev/fd/" + std::to_string(stream.get()), "second\n", {});
  write_whole(folder / "name", "third\n", {});
  CHECK(text_of(folder / "log") == "first\nsecond\nthird\n");
  CHECK(fs::is_symlink(folder / "name"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(write_whole(folder / "pipe", "lost", {}), EnvironmentFault);
}

TEST_CASE("a place that cannot be written is an error with path and cause, found by trying") {
  const TemporaryFolder folder;
  const auto cause = [&](const std::string& path, bool whole) {
    try {
      whole ? write_whole(path, "x", {.what = "the report"}) : try_whole(path, {.what = "the report"});
    } catch (const EnvironmentFault& fault) {
      CHECK(fault.where() == path);
      return fault.message();
    }
    return std::string();
  };
  for (const bool whole : {true, false}) {
    CHECK(cause(folder / "no/f", whole).find("cannot create the report: ") == 0);
    CHECK(cause(folder / "no/f", whole).find("No such file or directory") != std::string::npos);
    CHECK(cause(folder.path.string(), whole).find("Is a directory") != std::string::npos);
    CHECK(cause(folder.path.string() + "/", whole).find("Is a directory") != std::string::npos);
    CHECK(cause(folder / std::string(300, 'n'), whole).find("File name too long") != std::string::npos);
  }
  put_text(folder / "f", "");
  CHECK(cause(folder / "f/g", true).find("Not a directory") != std::string::npos);
  try_whole(folder / "f");
  try_whole(folder / "new");
  CHECK(folder.entries() == 1);
  CHECK(cause("/dev/full", true).find("No space left") != std::string::npos);
}

TEST_CASE("a folder of one's own: owned, not writable by others, no link that somebody else made") {
  const TemporaryFolder folder;
  const std::string path = folder / "run";
  CHECK(why_not_own_folder(path).empty());
  CHECK(Folder::make_own(path).path() == path);
  CHECK(mode_of(path) == 0700);
  CHECK_NOTHROW(Folder::make_own(path));
  const WholeFileOptions own{.own_folder = true};
  CHECK_NOTHROW(write_whole(path + "/f", "x", own));
  for (const mode_t mode : {0775, 0770, 02770}) {  // as a umask of 002 leaves it
    ::chmod(path.c_str(), mode);
    CHECK(Folder::make_own(path).closed_to_group());
    CHECK(mode_of(path) == (mode & 0755U));
    CHECK_FALSE(Folder::make_own(path).closed_to_group());
    CHECK_NOTHROW(write_whole(path + "/f", "x", own));
  }
  for (const mode_t mode : {0722, 0702, 01777}) {
    ::chmod(path.c_str(), mode);
    CHECK_THROWS_WITH_AS(Folder::make_own(path), doctest::Contains("others may write"), EnvironmentFault);
    CHECK_THROWS_AS(write_whole(path + "/f", "y", own), EnvironmentFault);
    CHECK(text_of(path + "/f") == "x");
  }
  ::chmod(path.c_str(), 0755);
  CHECK_NOTHROW(Folder::make_own(path));
  fs::create_symlink("run", folder / "link");
  CHECK_THROWS_WITH_AS(Folder::open_own(folder / "link"), doctest::Contains("it is a link"), EnvironmentFault);
  CHECK_NOTHROW(Folder::open_own(folder / "link", true));
  put_text(folder / "file", "");
  CHECK_THROWS_WITH_AS(Folder::make_own(folder / "file"), doctest::Contains("no folder"), EnvironmentFault);
  if (::geteuid() != 0) return;
  REQUIRE(::lchown((folder / "link").c_str(), 65534, 65534) == 0);
  CHECK_THROWS_AS(Folder::open_own(folder / "link", true), EnvironmentFault);
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  CHECK_THROWS_WITH_AS(Folder::make_own(path), doctest::Contains("belongs to user 65534"), EnvironmentFault);
}

TEST_CASE("logs are appended to, but not through links, pipes or second names") {
  const TemporaryFolder folder;
  const Folder opened = Folder::open_own(folder.path);
  put_text(folder / "log", "before\n");
  const Descriptor log = open_log(opened, "log");
  REQUIRE(log.valid());
  CHECK(::write(log.get(), "after\n", 6) == 6);
  CHECK(text_of(folder / "log") == "before\nafter\n");
  put_text(folder / "precious", "precious");
  fs::create_symlink("precious", folder / "link");
  fs::create_hard_link(folder / "precious", folder / "second");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const char* name : {"link", "second", "pipe"}) CHECK_FALSE(open_log(opened, name).valid());
}

}  // namespace
}  // namespace tradewind
