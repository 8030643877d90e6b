// Stores that zarr 2 and 3 wrote, packed and laid out in every supported way: every value, date and point.
#include "tests/unit/datasets/stores.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

using namespace tradewind;
using namespace tradewind::test;

namespace {

template <typename To>
void check_values(const datasets::Dataset& dataset, const datasets::Part& part) {
  const auto count = static_cast<std::size_t>(part.points.size());
  std::vector<To> values(part.dates.size() * part.variables.size() * count, To{-1});
  CHECK(dataset.read(part, values.data()) == 0);
  std::size_t at = 0, wrong = 0;
  for (const std::int64_t d : part.dates)
    for (const std::int64_t v : part.variables)
      for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t p =
            part.points.places.empty() ? part.points.begin + static_cast<std::int64_t>(i) : part.points.places[i];
        if (static_cast<double>(values[at++]) != value_of(d, v, p)) ++wrong;
      }
  CHECK(wrong == 0);
}

void check_store(const std::string& path) {
  CAPTURE(path);
  const auto dataset = datasets::open_store(path);
  REQUIRE(dataset->dates().size() == 5);
  for (int d = 0; d < 5; ++d)
    CHECK(dataset->dates()[static_cast<std::size_t>(d)] == parse_date("2024-01-14T12") + std::chrono::hours(6 * d));
  CHECK(dataset->frequency() == std::chrono::hours(6));
  CHECK(dataset->variables() == std::vector<std::string>{"2t", "msl", "t_850", "lsm"});
  REQUIRE(dataset->points() == 27);
  const fields::Points points = dataset->coordinates();
  for (std::size_t p = 0; p < 27; ++p) {
    CHECK(points.latitudes[p] == 80 - 5.0 * static_cast<double>(p));
    CHECK(points.longitudes[p] == 10.0 * static_cast<double>(p));
  }
  for (const zarr::Wanted& wanted :
       {zarr::Wanted{.begin = 0, .end = 27}, zarr::Wanted{.begin = 9, .end = 11}, zarr::Wanted{.begin = 26, .end = 27},
        zarr::Wanted{.places = {26, 0, 1, 2, 13, 12, 13}}}) {
    check_values<float>(*dataset, {{0, 1, 2, 3, 4}, {0, 1, 2, 3}, wanted});
    check_values<double>(*dataset, {{4, 1}, {3, 0, 2}, wanted});
  }
}

}  // namespace

TEST_CASE("every value of stores that zarr wrote, in a zip file and in a folder") {
  std::set<std::string> seen;
  for (const auto& file : std::filesystem::directory_iterator(TRADEWIND_STORES)) {
    std::string name = file.path().filename().string();
    name.resize(name.size() - std::string(".zarr.zip").size());
    seen.insert(name);
    if (name == "odd") continue;
    check_store(file.path().string());
    check_store(UnpackedStore(name).path());
  }
  CHECK(seen.size() == 18);
}

TEST_CASE("a date that is missing, and a chunk that is not there") {
  const auto dataset = datasets::open_store(packed_store("odd"));
  for (std::int64_t d = 0; d < 5; ++d) CHECK(dataset->is_missing(d) == (d == 3));
  std::vector<float> values(2 * 27);
  CHECK(dataset->read({{0, 1}, {2}, {.begin = 0, .end = 27}}, values.data()) == 1);
  for (std::int64_t p = 0; p < 27; ++p) {
    CHECK(values[static_cast<std::size_t>(p)] == value_of(0, 2, p));
    if (p < 20)
      CHECK(values[static_cast<std::size_t>(27 + p)] == value_of(1, 2, p));
    else
      CHECK(std::isnan(values[static_cast<std::size_t>(27 + p)]));
  }
  CHECK(dataset->read({{1}, {2}, {.begin = 0, .end = 20}}, values.data()) == 0);
}

TEST_CASE("only chunks that hold something wanted are opened") {
  const UnpackedStore store("odd");  // chunks of 10 points, one date
  const auto dataset = datasets::open_store(store.path());
  for (const char* chunk : {"0.0.0.0", "0.0.0.2", "2.0.0.1", "4.0.0.1"}) store.put(std::string("data/") + chunk, "x");
  check_values<float>(*dataset, {{0, 1}, {0, 1, 2, 3}, {.begin = 10, .end = 20}});
  check_values<float>(*dataset, {{0, 1}, {3}, {.places = {19, 10}}});
  std::vector<float> values(108);
  CHECK(refusal([&] {
          dataset->read({{0}, {0}, {.begin = 9, .end = 12}}, values.data());
        }).find("0.0.0.0") != std::string::npos);
}
