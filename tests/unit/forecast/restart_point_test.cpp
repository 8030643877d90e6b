#include "worker/forecast/restart_point.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "tests/unit/dist/ranks.h"

using namespace tradewind;
using namespace tradewind::forecast;
namespace fs = std::filesystem;

namespace {

class Folder : public test::TemporaryFolder {
 public:
  std::string restart() const { return (path / "restart").string(); }
};

const RunIdentity this_run = {.run = "a", .config = "b", .checkpoint = "c"};

// Two datasets, of which the second has a row less on every rank, so that a rank may have none.
RestartPoint point_of(int rank, int calls) {
  RestartPoint point{.calls = calls, .random = at::arange(7, at::kByte) + calls, .datasets = {}};
  for (const std::int64_t rows : {3 + rank, rank}) {
    DatasetPoint& dataset = point.datasets.emplace_back();
    dataset.output = {{"o.grib", 1000 * calls + static_cast<int>(point.datasets.size())}};
    dataset.x = at::arange(2 * rows * 4, at::kFloat).view({2, rows, 4}) + 100 * calls + rank;
    if (rows > 0) dataset.x[0][0][0] = std::nanf("");
    dataset.sums.push_back({{"tp", at::full({rows}, 0.1F * static_cast<float>(calls))}});
    dataset.sums.push_back({});
    dataset.sums.push_back({{"2t", at::full({1 + rank}, 7.0F)}});  // of other rows than the model's
  }
  return point;
}

RestartShape shape_of(int rank) { return {.random_bytes = 7, .x = {{2, 3 + rank, 4}, {2, rank, 4}}}; }

void check_same(const RestartPoint& got, const RestartPoint& wanted) {
  CHECK(got.calls == wanted.calls);
  CHECK(at::equal(got.random, wanted.random));
  REQUIRE(got.datasets.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const DatasetPoint &one = got.datasets[i], &other = wanted.datasets[i];
    CHECK((one.output == other.output));
    CHECK(at::equal(one.x.view(at::kInt), other.x.view(at::kInt)));  // bit for bit, missing values too
    REQUIRE(one.sums.size() == 3);
    CHECK(at::equal(one.sums[0].at("tp"), other.sums[0].at("tp")));
    CHECK(one.sums[1].empty());
    CHECK(at::equal(one.sums[2].at("2t"), other.sums[2].at("2t")));
  }
}

}  // namespace

TEST_CASE("every rank finds the newest point as it was written") {
  for (const int ranks : {1, 3}) {
    const Folder folder;
    testing::run_ranks(ranks, [&](dist::Communicator& communicator) {
      const int rank = communicator.rank();
      const RestartShape shape = shape_of(rank);
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
  const Folder folder;
  const auto communicator = dist::make_single_communicator();
  const RestartShape shape = shape_of(0);
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
  const Folder folder;
  const auto communicator = dist::make_single_communicator();
  const std::string state = folder.restart() + "/rank-0.call-1";
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  const auto size = fs::file_size(state);
  const auto read = [&](std::int64_t rows, std::size_t random_bytes = 7) {
    (void)RestartPoints(folder.restart(), true, this_run, *communicator)
        .read({.random_bytes = random_bytes, .x = {{2, rows, 4}, {2, 0, 4}}});
  };
  CHECK_THROWS_WITH_AS(read(5), doctest::Contains("damaged"), EnvironmentFault);
  CHECK_THROWS_WITH_AS(read(3, 8), doctest::Contains("damaged"), EnvironmentFault);
  // Each part of it counts: a byte of the random numbers, one of x.
  for (const int at : {3, 17}) {
    RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
    CHECK_NOTHROW(read(3));
    std::fstream(state, std::ios::in | std::ios::out | std::ios::binary).seekp(at).put('x');
    CHECK_THROWS_WITH_AS(read(3), doctest::Contains("damaged"), EnvironmentFault);
  }
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  fs::resize_file(state, size - 1);
  CHECK_THROWS_WITH_AS(read(3), doctest::Contains("damaged"), EnvironmentFault);
  fs::remove(state);
  CHECK_THROWS_AS(read(3), EnvironmentFault);
}

TEST_CASE("what another run has left in the folder is not taken up") {
  const Folder folder;
  const auto communicator = dist::make_single_communicator();
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  const RunIdentity other = {.run = "b", .config = this_run.config, .checkpoint = this_run.checkpoint};
  RestartPoints points(folder.restart(), true, other, *communicator);
  CHECK_FALSE(points.read(shape_of(0)));
  CHECK(fs::is_empty(folder.restart()));  // its files are in nobody's way
  points.write(point_of(0, 2));
  const auto got = RestartPoints(folder.restart(), true, other, *communicator).read(shape_of(0));
  REQUIRE(got);
  check_same(*got, point_of(0, 2));
}

TEST_CASE("a point of the same run is refused when config or checkpoint have changed since") {
  const Folder folder;
  const auto communicator = dist::make_single_communicator();
  RestartPoints(folder.restart(), false, this_run, *communicator).write(point_of(0, 1));
  for (const RunIdentity& changed :
       {RunIdentity{.run = "a", .config = "other", .checkpoint = "c"}, RunIdentity{"a", "b", "other"}}) {
    CHECK_THROWS_WITH_AS((void)RestartPoints(folder.restart(), true, changed, *communicator).read(shape_of(0)),
                         doctest::Contains("not those that the attempt before has had"), UserError);
  }
}

TEST_CASE("a point that is no point is damaged, whatever it holds") {
  const Folder folder;
  const auto communicator = dist::make_single_communicator();
  const std::string mine = R"("identity": {"run": "a", "config": "b", "checkpoint": "c"})";
  fs::create_directories(folder.restart());
  for (
      const std::string& text :
      {std::string("{"), std::string("[]"), std::string("{}"), "{" + mine + "}",
       "{" + mine + R"(, "version": 4, "calls": -1, "datasets": [{}, {}], "parts": [{}]})",
       "{" + mine + R"(, "version": 4, "calls": "x", "datasets": [{}, {}], "parts": [{}]})",
       "{" + mine + R"(, "version": 2, "calls": 1, "datasets": [{}, {}], "parts": [{}]})",
       "{" + mine + R"(, "version": 4, "calls": 1, "datasets": [{}], "parts": [{}]})",
       "{" + mine + R"(, "version": 4, "calls": 1, "datasets": [7, 8], "parts": [{}]})",
       "{" + mine +
           R"(, "version": 4, "calls": 1, "datasets": [{"output": 0, "sums": []}, {"output": 0, "sums": []}], "parts": [7]})"}) {
    CAPTURE(text);
    std::ofstream(folder.restart() + "/point.json") << text;
    CHECK_THROWS_WITH_AS((void)RestartPoints(folder.restart(), true, this_run, *communicator).read(shape_of(0)),
                         doctest::Contains("damaged"), EnvironmentFault);
  }
}
