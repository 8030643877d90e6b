// The files of an output: whole or called .partial, the same bytes from any number of ranks.
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "tests/unit/io/output_case.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/ordered_file.h"

using namespace tradewind;
using namespace tradewind::test;
namespace fs = std::filesystem;

TEST_CASE("one file, the same bytes from any number of ranks") {
  const TemporaryFolder folder;
  write_all(to(folder / "1.grib"), 1);
  const std::string single = text_of(folder / "1.grib");
  const auto messages = read_messages(folder / "1.grib");
  REQUIRE(messages.size() == 12);  // computed forcings are not written
  CHECK(messages[6].text("shortName") == "tp");
  CHECK(messages[6].text("stepRange") == "6-12");
  CHECK(messages[7].integer("level") == 850);
  CHECK(messages[4].values()[9] == doctest::Approx(21).epsilon(1e-5));
  for (const int ranks : {2, 3, 5}) {  // 5: more ranks than fields
    write_all(to(folder / "n.grib"), ranks);
    CHECK(text_of(folder / "n.grib") == single);
    write_all(to(folder / "prepared.grib"), ranks, true);
    CHECK(text_of(folder / "prepared.grib") == single);
  }
}

TEST_CASE("a path with keys makes many files; split_output false takes it literally") {
  const TemporaryFolder folder;
  write_all(to(folder / "{date}-{step:03}/{shortName}.grib"), 2);
  CHECK(read_messages(folder / "20240115-012/2t.grib").size() == 1);
  CHECK(read_messages(folder / "20240115-018/t.grib").size() == 1);
  CHECK_FALSE(fs::exists(folder / "20240115-018/t.grib.partial"));
  auto literal = to(folder / "{step}.grib");
  literal.split_output = false;
  write_all(literal, 1);
  CHECK(read_messages(folder / "{step}.grib").size() == 12);
}

TEST_CASE("an output that is not closed stays partial, and an older file keeps its name") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  write_file(folder / "o.grib", "an older forecast");
  {
    const auto output = make_output(to(folder / "o.grib"), context_of(metadata), *communicator);
    output->write(state_at(6));
    output->write(state_at(12));
  }
  CHECK(text_of(folder / "o.grib") == "an older forecast");
  CHECK(fs::exists(folder / "o.grib.partial"));
  CHECK_FALSE(fs::exists(folder / "o.grib.lock"));
  {
    const auto output = make_output(to(folder / "bad.grib"), context_of(metadata), *communicator);
    output->write(state_at(6));
    State broken = state_at(12);
    broken.values[1][17] = std::numeric_limits<float>::quiet_NaN();
    output->write(broken);
    const std::string error = error_of([&] { output->close(); });
    CHECK(has(error, "cannot encode msl at step 12h"));
    CHECK(has(error, "allow_nans"));
  }
  CHECK(fs::exists(folder / "bad.grib.partial"));
  CHECK_FALSE(fs::exists(folder / "bad.grib"));
}

TEST_CASE("a link keeps pointing at its file") {
  const TemporaryFolder folder;
  write_file(folder / "real/data.grib", "old");
  fs::create_symlink(folder / "real/data.grib", folder / "link.grib");
  write_all(to(folder / "link.grib"), 1);
  CHECK(fs::is_symlink(folder / "link.grib"));
  CHECK(read_messages(folder / "real/data.grib").size() == 12);
}

TEST_CASE("pipes are written in order, under their own name") {
  const TemporaryFolder folder;
  write_all(to(folder / "file.grib"), 1);
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::string received;
  std::thread reader([&] { received = text_of(pipe); });
  write_all(to(pipe), 1);
  reader.join();
  CHECK(received == text_of(folder / "file.grib"));
  CHECK_FALSE(fs::exists(pipe + ".partial"));
}

TEST_CASE("what the file system refuses is said with path and cause") {
  const TemporaryFolder folder;
  const std::string full = error_of([] { write_all(to("/dev/full"), 1); });
  CHECK(has(full, "/dev/full"));
  CHECK(has(full, "No space left"));
  write_file(folder / "file", "x");
  CHECK(has(error_of([&] { write_all(to(folder / "file/o.grib"), 1); }), "folder"));
  fs::create_directory(folder / "dir.grib");
  CHECK(has(error_of([&] { write_all(to(folder / "dir.grib"), 1); }), "is a folder"));
  FileSink sink(16);  // takes no more than 16 bytes while more wait
  sink.create(folder / "small");
  for (std::uint64_t i = 0; i < 100; ++i) sink.append(folder / "small", 10 * i, "0123456789");
  sink.flush();
  sink.publish();
  CHECK(fs::file_size(folder / "small") == 1000);
}

TEST_CASE("two outputs of one name: the second is refused while the first is at it, and nothing is mixed") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const auto begin = [&](const std::string& path) {
    return make_output(to(path), context_of(metadata), *communicator);
  };
  const auto first = begin(folder / "o.grib");
  first->write(state_at(6));
  fs::create_symlink("o.grib", folder / "link.grib");
  for (const char* name : {"o.grib", "./o.grib", "link.grib"}) {
    const std::string error = error_of([&] { begin(folder / name)->write(state_at(12)); });
    CHECK(has(error, "is held by another run: process " + std::to_string(::getpid())));
  }
  begin(folder / "other.grib")->write(state_at(6));
  first->close();
  CHECK(read_messages(folder / "o.grib").size() == 4);
  CHECK_FALSE(fs::exists(folder / "o.grib.lock"));
  const auto again = begin(folder / "o.grib");
  again->write(state_at(6));
  again->write(state_at(12));
  CHECK(read_messages(folder / "o.grib").size() == 4);
  again->close();
  CHECK(read_messages(folder / "o.grib").size() == 8);
}

TEST_CASE("an unfinished file is one's own: no link is followed, no other's is written or named") {
  const TemporaryFolder folder;
  write_file(folder / "precious", "precious");
  fs::create_symlink("precious", folder / "a.grib.partial");
  fs::create_hard_link(folder / "precious", folder / "b.grib.partial");
  const auto written = [&](const std::string& name, const std::function<void(const std::string&)>& meanwhile) {
    FileSink sink(1 << 20);
    sink.create(folder / name);
    sink.append(folder / name, 0, "mine");
    sink.flush();
    if (meanwhile) meanwhile(folder / (name + ".partial"));
    sink.append(folder / name, 4, ", all of it");
    sink.flush();
    sink.publish();
  };
  written("a.grib", {});
  written("b.grib", {});
  CHECK(text_of(folder / "precious") == "precious");
  CHECK(text_of(folder / "a.grib") == "mine, all of it");
  CHECK(text_of(folder / "b.grib") == "mine, all of it");
  write_file(folder / "c.grib", "an older forecast");
  const auto swap = [&](const std::string& partial) {
    fs::remove(partial);
    write_file(partial, "another run's");
  };
  CHECK(has(error_of([&] { written("c.grib", swap); }), "replaced the unfinished output"));
  const auto link = [&](const std::string& partial) {
    fs::remove(partial);
    fs::create_symlink("precious", partial);
  };
  CHECK_FALSE(error_of([&] { written("c.grib", link); }).empty());
  CHECK(text_of(folder / "c.grib") == "an older forecast");
  CHECK(text_of(folder / "c.grib.partial") == "precious");
  CHECK(text_of(folder / "precious") == "precious");
}

TEST_CASE("a further attempt goes on with its own file only") {
  const TemporaryFolder folder;
  const std::string path = folder / "o.grib";
  std::uint64_t inode = 0;
  {
    FileSink sink(1 << 20);
    inode = sink.create(path);
    sink.append(path, 0, "kept, dropped");
    sink.flush();
  }
  write_file(path, "an older forecast");
  {
    FileSink sink(1 << 20);
    sink.reopen(path, 4, inode);
    sink.append(path, 4, " and gone on");
    sink.flush();
    sink.publish();
  }
  CHECK(text_of(path) == "kept and gone on");
  {  // killed between its final name and the end
    FileSink sink(1 << 20);
    sink.reopen(path, 4, inode);
    CHECK_FALSE(fs::exists(path));
    sink.flush();
    sink.publish();
  }
  CHECK(text_of(path) == "kept");
  fs::copy_file(path, folder / "copy");
  fs::rename(folder / "copy", path);  // another run's
  FileSink sink(1 << 20);
  CHECK_FALSE(error_of([&] { sink.reopen(path, 4, inode); }).empty());
  CHECK(text_of(path) == "kept");
}

TEST_CASE("fields that start before the forecast, fields without a template") {
  const TemporaryFolder folder;
  const auto metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const auto written = [&](const std::string& mode) {
    auto config = to(folder / "o.grib");
    config.negative_step_mode = mode;
    const auto output = make_output(config, context_of(metadata), *communicator);
    output->write(state_at(0));
    output->close();
    return read_messages(folder / "o.grib").size();
  };
  CHECK(written("write") == 4);
  CHECK(written("skip") == 3);
  CHECK(has(error_of([&] { written("error"); }), "variable tp would start at 2024-01-15T00:00:00"));
  auto config = to(folder / "o.grib");
  config.templates = {config::InputTemplates{}};
  const auto output = make_output(config, context_of(metadata), *communicator);
  const std::string error = error_of([&] { output->write(state_at(0, {"2t"})); });
  CHECK(has(error, "no GRIB template for 2t (tried input; grid O48)"));
  CHECK(has(error, "write_initial_state: false"));
}

TEST_CASE("a pipe without a reader is waited for, not for ever") {
  const TemporaryFolder folder;
  const std::string path = folder / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH_AS(OrderedFile(path, {}, std::chrono::milliseconds(300)),
                       doctest::Contains("nobody reads the pipe"), EnvironmentFault);
  const auto waited = std::chrono::steady_clock::now() - begin;
  CHECK(waited >= std::chrono::milliseconds(300));
  CHECK(waited < std::chrono::seconds(20));
  CHECK(OrderedFile::is_ordered(path, {}));
  CHECK(OrderedFile::is_ordered("/dev/null", {}));
  CHECK(OrderedFile::is_ordered("/dev/stdout", {}));
  CHECK(OrderedFile::is_ordered("given", {{"given", 1}}));
  CHECK_FALSE(OrderedFile::is_ordered(folder / "file", {}));
  CHECK_FALSE(OrderedFile::is_ordered("/dev/shm/a.grib", {}));
  CHECK_THROWS_WITH_AS(OrderedFile("/dev/fd/1", {}), doctest::Contains("was handed none"), UserError);
  CHECK_THROWS_WITH_AS(OrderedFile("/nowhere/at/all", {}), doctest::Contains("No such file"), EnvironmentFault);
}
