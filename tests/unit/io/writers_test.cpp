// Who writes what: places of ranks, several files, one writer for pipes, bounded backlog. The bytes never depend on it.
#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/path_pattern.h"
#include "worker/outputs/output.h"
#include "worker/outputs/task_threads.h"

using namespace tradewind;
using namespace tradewind::test;
using namespace tradewind::outputs;
using std::chrono::hours;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t points = 10944;  // o48
constexpr std::int64_t lustre = 0x0BD00BD0, nfs = 0x6969, ext4 = 0xEF53;
const std::vector<std::string> variables = {"2t", "msl", "sp", "tcc", "10u"};

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.grid = "o48";
  metadata.grid_points = points;
  for (const std::string& name : variables) {
    metadata.variables[name].name = name;
    metadata.variables[name].mars = {{"param", name}, {"levtype", "sfc"}};
  }
  return metadata;
}

at::Tensor values_at(long step) {
  const auto count = static_cast<std::int64_t>(variables.size());
  return at::arange(count * points, at::kFloat).remainder(997).add(static_cast<double>(step)).view({count, points});
}

config::GribOutputConfig to(const std::string& path) {
  config::GribOutputConfig config;
  config.path = path;
  return config;
}

struct Run {
  config::OutputConfig config;
  int ranks = 1;
  std::vector<Site> sites = {};  // by rank; none: where this process is
  std::size_t pending_bytes = 64 << 20;
  int states = 3;
  std::function<void(int rank, int written)> after_state = {};
};

// Each rank's figures.
std::vector<OutputFigures> write_all(const Run& run) {
  const auto metadata = some_metadata();
  std::vector<OutputFigures> figures(static_cast<std::size_t>(run.ranks));
  const auto as_rank = [&](dist::Communicator& communicator) {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    OutputContext context{.metadata = metadata};
    const auto grid =
        std::make_shared<const fields::Grid>(fields::Grid{fields::Rows(dist::Shards(points, run.ranks)), {}});
    context.pending_bytes = run.pending_bytes;
    if (!run.sites.empty()) context.site_probe = [&, rank](const std::string&) { return run.sites[rank]; };
    const auto output = make_output(run.config, context, communicator);
    const dist::RowRange rows = grid->rows.range(communicator.rank());
    for (int i = 1; i <= run.states; ++i) {
      State state{.base = parse_date("2024-01-15"), .step = hours(6 * i), .previous_step = hours(6 * i - 6)};
      state.variables = variables;
      state.grid = grid;
      state.values = values_at(6L * i).slice(1, rows.begin, rows.end).contiguous();
      output->write(state);
      if (run.after_state) run.after_state(communicator.rank(), i);
    }
    output->close();
    figures[rank] = output->figures();
  };
  if (run.ranks == 1)
    as_rank(*dist::make_single_communicator());
  else
    tradewind::testing::run_ranks(run.ranks, as_rank);
  return figures;
}

std::string names_in(const std::string& path) {
  std::string names;
  for (const auto& message : read_messages(path)) names += *message.text("shortName") + " ";
  return names;
}

// Reads a pipe from the start of the run, but nothing before it is let go.
class SlowReader {
 public:
  explicit SlowReader(const std::string& pipe) : thread_([this, pipe] { read(pipe); }) {}
  void let_go() {
    const std::lock_guard lock(mutex_);
    go_ = true;
    changed_.notify_all();
  }
  std::string received() {
    thread_.join();
    return bytes_;
  }

 private:
  void read(const std::string& pipe) {
    std::ifstream stream(pipe, std::ios::binary);  // opens once there is a writer
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return go_; });
    bytes_.assign(std::istreambuf_iterator<char>(stream), {});
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool go_ = false;
  std::string bytes_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("which ranks may write") {
  using Ranks = std::vector<int>;
  CHECK(writers_of({{"a", ext4}}) == Ranks{0});
  CHECK(writers_of({{"a", ext4}, {"a", ext4}, {"a", nfs}}) == Ranks{0, 1, 2});
  CHECK(writers_of({{"a", nfs}, {"a", nfs}, {"b", nfs}, {"a", nfs}}) == Ranks{0, 1, 3});
  CHECK(writers_of({{"a", lustre}, {"b", lustre}, {"c", lustre}}) == Ranks{0, 1, 2});
  CHECK(writers_of({{"a", ext4}, {"b", ext4}}) == Ranks{0});    // each host its own disk
  CHECK(writers_of({{"a", lustre}, {"b", ext4}}) == Ranks{0});  // not the same folder everywhere
  CHECK(writers_of({{"a", 0x1234567}, {"b", 0x1234567}}) == Ranks{0});
  CHECK(writers_of({{"a", lustre}, {"b", 0}}) == Ranks{0});
  const Site here = site_of("/proc");
  CHECK(here.file_system == 0x9fa0);
  CHECK(here.host == site_of("").host);
  CHECK(site_of("/no/such/folder").file_system == 0);
}

TEST_CASE("the file is the same wherever its ranks stand; only those write who may") {
  const TemporaryFolder folder;
  write_all({.config = to(folder / "1.grib")});
  const std::string single = text_of(folder / "1.grib");
  REQUIRE(read_messages(folder / "1.grib").size() == 15);
  const auto run = [&](const std::vector<Site>& sites) {
    const auto figures = write_all({.config = to(folder / "n.grib"), .ranks = 4, .sites = sites});
    CHECK(text_of(folder / "n.grib") == single);
    std::vector<bool> wrote;
    std::int64_t bytes = 0;
    for (const OutputFigures& one : figures) {
      wrote.push_back(one.bytes > 0);
      bytes += one.bytes;
    }
    CHECK(bytes == static_cast<std::int64_t>(single.size()));
    return wrote;
  };
  CHECK(run({}) == std::vector<bool>{true, true, true, true});
  CHECK(run({{"a", nfs}, {"b", nfs}, {"a", nfs}, {"b", nfs}}) == std::vector<bool>{true, false, true, false});
  CHECK(run({{"a", nfs}, {"b", nfs}, {"c", nfs}, {"d", nfs}}) == std::vector<bool>{true, false, false, false});
  CHECK(run({{"a", lustre}, {"b", lustre}, {"b", lustre}, {"c", lustre}}) == std::vector<bool>{true, true, true, true});
}

TEST_CASE("a pipe has one writer, from any number of ranks") {
  const TemporaryFolder folder;
  write_all({.config = to(folder / "file.grib")});
  for (const int ranks : {2, 3, 7}) {
    const std::string pipe = folder / ("pipe" + std::to_string(ranks));
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    SlowReader reader(pipe);
    reader.let_go();
    const auto figures = write_all({.config = to(pipe), .ranks = ranks});
    CHECK(reader.received() == text_of(folder / "file.grib"));
    CHECK_FALSE(fs::exists(pipe + ".partial"));
    CHECK(figures[0].bytes > 0);
    CHECK(figures[1].bytes == 0);
  }
}

TEST_CASE("a slow output stops nobody before its buffer is full, and no more than that waits") {
  const TemporaryFolder folder;
  write_all({.config = to(folder / "file.grib"), .states = 1});
  const auto state_bytes = static_cast<std::size_t>(fs::file_size(folder / "file.grib"));
  write_all({.config = to(folder / "file.grib"), .states = 20});
  for (const int ranks : {1, 2}) {
    const std::string pipe = folder / ("pipe" + std::to_string(ranks));
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    SlowReader reader(pipe);
    // Room for 8 states: 8 are handed on and one more is encoded while nothing at all is read.
    constexpr int fit = 9;
    const std::size_t limit = 8 * state_bytes + state_bytes / 2;
    const auto let_go_later = [&](int rank, int written) {
      if (rank == 0 && written == fit) reader.let_go();
    };
    const auto figures = write_all(
        {.config = to(pipe), .ranks = ranks, .pending_bytes = limit, .states = 20, .after_state = let_go_later});
    CHECK(reader.received() == text_of(folder / "file.grib"));
    CHECK(figures[0].most_pending_bytes <= static_cast<std::int64_t>(limit));
    CHECK(figures[0].most_pending_bytes > static_cast<std::int64_t>(6 * state_bytes));  // a pipe holds 64 KiB itself
    CHECK(figures[0].pending_limit_bytes == static_cast<std::int64_t>(limit));
  }
}

TEST_CASE("so many files, each with its chunk of the fields") {
  CHECK(config::with_part("out.grib", 0) == "out_w0.grib");
  CHECK(config::with_part("a.b/out", 0) == "a.b/out_w0");
  CHECK(config::with_part("d/f.{step:03}.grib", 1) == "d/f.{step:03}_w1.grib");
  CHECK(config::with_part("d/.hidden", 1) == "d/.hidden_w1");
  const TemporaryFolder folder;
  const auto output = std::make_shared<const config::OutputConfig>(to(folder / "o.grib"));
  const auto write = [&](const config::ParallelWriters& writers, int ranks) {
    write_all({.config = config::ParallelOutputConfig{writers, output}, .ranks = ranks, .states = 2});
  };
  for (const int ranks : {1, 3}) {
    CAPTURE(ranks);
    write({.count = 2, .fields_per_chunk = {}}, ranks);
    CHECK(names_in(folder / "o_w0.grib") == "2t msl sp 2t msl sp ");
    CHECK(names_in(folder / "o_w1.grib") == "tcc 10u tcc 10u ");
    write({.count = 2, .fields_per_chunk = 1}, ranks);
    CHECK(names_in(folder / "o_w0.grib") == "2t sp 10u 2t sp 10u ");
    CHECK(names_in(folder / "o_w1.grib") == "msl tcc msl tcc ");
    CHECK_FALSE(fs::exists(folder / "o.grib"));
  }
  // More files than fields: the last ones have nothing to hold.
  write({.count = 7, .fields_per_chunk = {}}, 1);
  CHECK(names_in(folder / "o_w4.grib") == "10u 10u ");
  CHECK_FALSE(fs::exists(folder / "o_w5.grib"));
}

TEST_CASE("a file that somebody removes while it is written is an error at once") {
  const TemporaryFolder folder;
  for (const int ranks : {1, 2}) {
    const auto remove = [&](int rank, int written) {
      if (rank == 0 && written == 2) fs::remove(folder / "o.grib.partial");
    };
    const std::string error = error_of(
        [&] { write_all({.config = to(folder / "o.grib"), .ranks = ranks, .states = 50, .after_state = remove}); });
    CHECK(has(error, "o.grib.partial: "));
    // A rank that has not opened it yet finds nothing to open.
    CHECK((has(error, "the output file was removed") || has(error, "No such file")));
    CHECK_FALSE(fs::exists(folder / "o.grib"));
  }
}

TEST_CASE("who waits for tasks lends a hand, and gets the exception of any") {
  TaskThreads threads(1);
  std::mutex mutex;
  std::condition_variable changed;
  int entered = 0;
  const auto both_at_once = [&](std::size_t) {  // returns when another is in here, too
    std::unique_lock lock(mutex);
    ++entered;
    changed.notify_all();
    changed.wait(lock, [&] { return entered >= 2; });
  };
  threads.start(2, both_at_once);
  threads.wait();
  CHECK(entered == 2);
  std::atomic<int> runs{0};
  threads.start(1000, [&](std::size_t i) {
    ++runs;
    if (i == 0) throw std::runtime_error("task 0");
  });
  CHECK_THROWS_WITH(threads.wait(), "task 0");
  const int before = runs;
  threads.start(3, [&](std::size_t) { ++runs; });
  threads.wait();
  CHECK(runs == before + 3);
}
