// Inputs as files: what counts, how often, what is left out and how that is said; files that change.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/find_files.h"
#include "worker/grib/index.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> names(const FoundFiles& found, const std::string& below) {
  std::vector<std::string> list;
  for (const auto& file : found.files) list.push_back(file.substr(below.size()));
  return list;
}
using Names = std::vector<std::string>;

std::string all(const std::vector<std::string>& warnings) {
  std::string text;
  for (const auto& warning : warnings) text += warning + "\n";
  return text;
}

// Without root's rights to read everything, while it lives.
class AsNobody {
 public:
  AsNobody() : changed_(geteuid() == 0 && seteuid(65534) == 0) {}
  ~AsNobody() {
    if (changed_ && seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool changed_;
};

const Json field = {{"shortName", "2t"}, {"date", 20240115}, {"time", 600}, {"step", 6}};

}  // namespace

TEST_CASE("what is no regular file is refused by its kind, at once") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe.grib", socket_path = folder / "socket.grib";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(descriptor);
  const auto refusal = [](const std::string& path) { return error_of([&] { scan_files(find_files(path).files); }); };
  CHECK(has(refusal(pipe), "is a pipe (FIFO), not a regular file"));
  CHECK(has(refusal(pipe), pipe));
  CHECK(has(refusal(socket_path), "is a socket, not a regular file"));
  CHECK(has(refusal("/dev/null"), "is a character device, not a regular file"));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(has(refusal("/dev/fd/" + std::to_string(ends[0])), "is a pipe (FIFO), not a regular file"));
  close(ends[0]);
  close(ends[1]);
  // in a folder they are left out, and that is said
  write_file(folder / "a.grib", "x");
  const FoundFiles found = find_files(folder / "");
  CHECK(names(found, folder / "") == Names{"a.grib"});
  CHECK(has(all(found.warnings), pipe + " (it is a pipe (FIFO), not a regular file)"));
  CHECK(has(all(found.warnings), socket_path + " (it is a socket"));
}

TEST_CASE("each file counts once, whatever links lead to it") {
  const TemporaryFolder folder;
  write_file(folder / "in/a.grib", "x");
  write_file(folder / "in/deep/b.grib", "x");
  const std::string in = folder / "in/";
  for (const char* name : {"l1", "l2", "deep/l3", "deep/l4"}) fs::create_directory_symlink(folder / "in", in + name);
  fs::create_symlink("a.grib", in + "latest.grib");
  fs::create_hard_link(in + "a.grib", in + "z.grib");
  CHECK(names(find_files(folder / "in"), in) == Names{"a.grib", "deep/b.grib"});
  CHECK(names(find_files(in + "**/*.grib"), in) == Names{"a.grib", "deep/b.grib"});
  // 4 ways at each of 40 levels
  std::string loops = in;
  for (int i = 0; i < 40; ++i) loops += "l*/";
  CHECK(find_files(loops + "*.grib").files.size() == 1);
  std::string stars = in;
  for (int i = 0; i < 40; ++i) stars += "**/";
  CHECK(find_files(stars + "*.grib").files.size() == 2);
}

TEST_CASE("what cannot be looked at is told, and the rest is read") {
  const TemporaryFolder folder;
  const std::string in = folder / "in/";
  for (const char* name : {"a.grib", "lost+found/b.grib", "z/c.grib"}) write_file(in + name, "x");
  fs::permissions(folder / "", fs::perms(0755));
  fs::permissions(in + "lost+found", fs::perms(0));
  fs::create_symlink("nowhere", in + "gone.grib");
  fs::create_symlink("self.grib", in + "self.grib");
  {
    const AsNobody nobody;
    for (const std::string& path : {folder / "in", in + "**/*.grib", in + "**"}) {
      CAPTURE(path);
      const FoundFiles found = find_files(path);
      CHECK(names(found, in) == Names{"a.grib", "z/c.grib"});
      CHECK(has(all(found.warnings), in + "lost+found (cannot list the folder: Permission denied)"));
      CHECK(has(all(found.warnings), in + "gone.grib (a link that leads nowhere"));
      CHECK(has(all(found.warnings), in + "self.grib (a link that leads nowhere: Too many levels"));
    }
    CHECK(has(error_of([&] { find_files(in + "lost+found"); }), "cannot list the folder: Permission denied"));
    CHECK(has(error_of([&] { find_files(in + "lost+found/b.grib"); }), "Permission denied"));
    CHECK(has(error_of([&] { find_files(in + "lost+found/*.grib"); }), "Permission denied"));
  }
  CHECK(has(error_of([&] { find_files(in + "a.grib/b.grib"); }), "Not a directory"));
  CHECK(has(error_of([&] { find_files(in + "gone.grib"); }), "the link leads nowhere"));
  fs::permissions(in + "a.grib", fs::perms(0));
  {
    const AsNobody nobody;
    CHECK(has(error_of([&] { scan_files(find_files(in).files); }), "cannot open the file: Permission denied"));
  }
  fs::permissions(in + "lost+found", fs::perms(0755));
}

TEST_CASE("a folder too deep is an error that names it; an empty file is told") {
  const TemporaryFolder folder;
  std::string deep = folder / "deep";
  for (int i = 0; i < 110; ++i) deep += "/d";
  write_file(deep + "/a.grib", "x");
  CHECK(has(error_of([&] { find_files(folder / "deep"); }), "go deeper than 100 levels"));
  write_file(folder / "in/empty.grib", "");
  write_file(folder / "in/full.grib", make_message(field).bytes());
  const ScannedFiles scanned = scan_files(find_files(folder / "in").files);
  CHECK(scanned.messages.size() == 1);
  CHECK(all(scanned.warnings) == "the input's file " + (folder / "in/empty.grib") + " is empty\n");
}

TEST_CASE("more files than a process may open") {
  const TemporaryFolder folder;
  const std::string bytes = make_message(field).bytes();
  for (int i = 0; i < 300; ++i) write_file(folder / ("in/" + std::to_string(i) + ".grib"), bytes);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{64, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  const checkpoint::Metadata metadata;
  const std::string error = error_of([&] {
    const Index index(find_files(folder / "in").files, Namer(metadata));
    REQUIRE(index.messages().size() == 300);
    for (const auto& message : index.messages()) CHECK(index.bytes(message) == bytes);
  });
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(error == "");
}

TEST_CASE("a file that changes while it is read is an error that names it") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.grib", bytes = make_message(field).bytes();
  const checkpoint::Metadata metadata;
  const auto after = [&](auto change) {
    write_file(path, bytes + bytes);
    const Index index({path}, Namer(metadata));
    const auto& message = index.messages().back();
    CHECK(index.bytes(message) == bytes);
    index.check_unchanged({&message});
    change();
    const std::string by_path = error_of([&] { index.check_unchanged({&message}); });
    CHECK(has(by_path, path));
    return by_path + error_of([&] { index.bytes(message); });
  };
  const auto rewrite = [&](const std::string& text) {
    usleep(20000);  // times of files have steps
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  };
  CHECK(has(after([&] { rewrite(bytes + bytes + bytes); }), "changed while the run read it"));
  CHECK(has(after([&] { rewrite(bytes + bytes); }), "changed while the run read it"));
  CHECK(has(after([&] { rewrite(bytes); }), "while it was read"));
  CHECK(has(after([&] {
              write_file(folder / "other", bytes + bytes);
              fs::rename(folder / "other", path);
            }),
            "changed or replaced"));
  CHECK(has(after([&] { fs::remove(path); }), "No such file"));
}
