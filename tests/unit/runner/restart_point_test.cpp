#include "worker/runner/restart_point.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"

using namespace tradewind;
using namespace tradewind::runner;
namespace fs = std::filesystem;

namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tradewind-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string restart() const { return (path / "restart").string(); }
  fs::path path;
};

const RunIdentity this_run = {.run = "a", .config = "b", .checkpoint = "c"};

RestartPoint point_of(int rank, int calls) {
  RestartPoint point{.calls = calls, .output = {{"o.grib", 1000 * calls}}, .x = {}, .sums = {}};
  point.x = at::arange(2 * (3 + rank) * 4, at::kFloat).view({2, 3 + rank, 4}) + 100 * calls + rank;
  point.x[0][0][0] = std::nanf("");
  point.sums.push_back({{"tp", at::full({3 + rank}, 0.1F * static_cast<float>(calls))}});
  point.sums.push_back({});
  point.sums.push_back({{"2t", at::full({1 + rank}, 7.0F)}});  // of fewer rows than the model's
  return point;
}

void check_same(const RestartPoint& got, const RestartPoint& wanted) {
  CHECK(got.calls == wanted.calls);
  CHECK((got.output == wanted.output));
  CHECK(at::equal(got.x.view(at::kInt), wanted.x.view(at::kInt)));  // bit for bit, missing values too
  REQUIRE(got.sums.size() == 3);
  CHECK(at::equal(got.sums[0].at("tp"), wanted.sums[0].at("tp")));
  CHECK(got.sums[1].empty());
  CHECK(at::equal(got.sums[2].at("2t"), wanted.sums[2].at("2t")));
}

}  // namespace

TEST_CASE("every rank finds the newest point as it was written") {
  for (const int ranks : {1, 3}) {
    const TemporaryFolder folder;
    testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
      const int rank = communicator.rank();
      const std::vector<std::int64_t> shape = {2, 3 + rank, 4};
      RestartPoints writing(folder.restart(), true, this_run, communicator);
      CHECK_FALSE(writing.read(shape));
      for (const int calls : {1, 2, 3}) writing.write(point_of(rank, calls));
      RestartPoints reading(folder.restart(), true, this_run, communicator);
      const auto got = reading.read(shape);
      REQUIRE(got);
      check_same(*got, point_of(rank, 3));
      communicator.barrier("read");
      reading.write(point_of(rank, 4));
      communicator.barrier("written");
    });
    // Only the newest one is kept.
    int files = 0;
    for (const auto& entry : fs::directory_iterator(folder.restart()))
      files += static_cast<int>(entry.path().filename().string().ends_with("json") ||
                                entry.path().filename().string().ends_with("call-4"));
    CHECK(files == ranks + 1);
    CHECK(std::distance(fs::directory_iterator(folder.restart()), fs::directory_iterator()) == ranks + 1);
    testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
      RestartPoints(folder.restart(), true, this_run, communicator).remove();
      communicator.barrier("removed");
    });
    CHECK_FALSE(fs::exists(folder.restart()));
  }
}

TEST_CASE("a point half written leaves the one before; another run's is forgotten") {
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  const std::vector<std::int64_t> shape = {2, 3, 4};
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  std::ofstream(folder.restart() + "/rank-0.call-2.partial") << "half";
  std::ofstream(folder.restart() + "/rank-0.call-2") << "whole, but nobody has said so";
  std::ofstream(folder.restart() + "/point.json.partial") << "{";
  const auto got = RestartPoints(folder.restart(), true, this_run, *communicator).read(shape);
  REQUIRE(got);
  check_same(*got, point_of(0, 1));
  CHECK_FALSE(RestartPoints(folder.restart(), false, this_run, *communicator).read(shape));
}

TEST_CASE("damaged states are not gone on from") {
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  const std::string state = folder.restart() + "/rank-0.call-1";
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  const auto size = fs::file_size(state);
  const auto read = [&](std::int64_t rows) {
    RestartPoints(folder.restart(), true, this_run, *communicator).read({2, rows, 4});
  };
  CHECK_THROWS_WITH_AS(read(5), doctest::Contains("damaged"), EnvironmentFault);
  std::fstream(state, std::ios::in | std::ios::out | std::ios::binary).seekp(17).put('x');
  CHECK_THROWS_WITH_AS(read(3), doctest::Contains("damaged"), EnvironmentFault);
  fs::resize_file(state, size - 1);
  CHECK_THROWS_WITH_AS(read(3), doctest::Contains("damaged"), EnvironmentFault);
  fs::remove(state);
  CHECK_THROWS_AS(read(3), EnvironmentFault);
}

TEST_CASE("what another run has left in the folder is not taken up") {
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  const RunIdentity other = {.run = "b", .config = this_run.config, .checkpoint = this_run.checkpoint};
  RestartPoints points(folder.restart(), true, other, *communicator);
  CHECK_FALSE(points.read({2, 3, 4}));
  CHECK(fs::is_empty(folder.restart()));  // its files are in nobody's way
  points.write(point_of(0, 2));
  const auto got = RestartPoints(folder.restart(), true, other, *communicator).read({2, 3, 4});
  REQUIRE(got);
  check_same(*got, point_of(0, 2));
}

TEST_CASE("a point of the same run is refused when config or checkpoint have changed since") {
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  for (const RunIdentity& changed :
       {RunIdentity{.run = "a", .config = "other", .checkpoint = "c"}, RunIdentity{"a", "b", "other"}}) {
    CHECK_THROWS_WITH_AS((void)RestartPoints(folder.restart(), true, changed, *communicator).read({2, 3, 4}),
                         doctest::Contains("not those that the attempt before has had"), UserError);
  }
}

TEST_CASE("a point that is no point is damaged, whatever it holds") {
  const TemporaryFolder folder;
  const auto communicator = dist::make_single_communicator();
  const std::string mine = R"("identity": {"run": "a", "config": "b", "checkpoint": "c"})";
  fs::create_directories(folder.restart());
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{}"), "{" + mine + "}",
        "{" + mine + R"(, "version": 2, "calls": -1, "parts": [{}]})",
        "{" + mine + R"(, "version": 2, "calls": "x", "parts": [{}]})",
        "{" + mine + R"(, "version": 1, "calls": 1, "parts": [{}]})",
        "{" + mine + R"(, "version": 2, "calls": 1, "output": 0, "sums": [], "parts": [7]})"}) {
    CAPTURE(text);
    std::ofstream(folder.restart() + "/point.json") << text;
    CHECK_THROWS_WITH_AS((void)RestartPoints(folder.restart(), true, this_run, *communicator).read({2, 3, 4}),
                         doctest::Contains("damaged"), EnvironmentFault);
  }
}
