// What open_dataset's options take of a store, in the reference's order whatever the order in which they are written.
#include <doctest/doctest.h>

#include "tests/unit/datasets/stores.h"

using namespace tradewind;
using namespace tradewind::test;
using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

namespace {

std::shared_ptr<const datasets::Dataset> open_with(Json options) {
  options["dataset"] = packed_store("blosc-lz4");
  return datasets::open_dataset(config::parse_open_dataset(options, "here"));
}

std::vector<double> first_values(const datasets::Dataset& dataset) {
  datasets::Part part{.dates = {0}, .variables = {}, .points = {.begin = 3, .end = 4}};
  for (std::size_t i = 0; i < dataset.variables().size(); ++i) part.variables.push_back(static_cast<std::int64_t>(i));
  std::vector<double> values(part.variables.size());
  dataset.read(part, values.data());
  return values;
}

Names dates_of(const Json& options) {
  Names dates;
  const auto dataset = open_with(options);
  for (const Time date : dataset->dates()) dates.push_back(iso_date(date).substr(5, 8));
  return dates;
}

}  // namespace

TEST_CASE("variables: select, drop, reorder, rename") {
  const auto selected = open_with({{"select", {"lsm", "2t"}}});
  CHECK(selected->variables() == Names{"lsm", "2t"});
  CHECK(first_values(*selected) == std::vector{value_of(0, 3, 3), value_of(0, 0, 3)});
  CHECK(open_with({{"select", "msl"}})->variables() == Names{"msl"});
  const auto dropped = open_with({{"drop", {"lsm", "2t"}}});
  CHECK(dropped->variables() == Names{"msl", "t_850"});
  CHECK(first_values(*dropped) == std::vector{value_of(0, 1, 3), value_of(0, 2, 3)});
  const auto sorted = open_with({{"reorder", "sort"}});
  CHECK(sorted->variables() == Names{"2t", "lsm", "msl", "t_850"});
  CHECK(first_values(*sorted)[1] == value_of(0, 3, 3));
  const auto placed = open_with({{"reorder", {{"lsm", 0}, {"msl", 2}, {"2t", 1}, {"t_850", 3}}}});
  CHECK(placed->variables() == Names{"lsm", "2t", "msl", "t_850"});
  // rename is last: what it leaves is asked for by the old name
  const auto renamed = open_with({{"rename", {{"lsm", "mask"}}}, {"select", {"lsm"}}});
  CHECK(renamed->variables() == Names{"mask"});
  CHECK(first_values(*renamed) == std::vector{value_of(0, 3, 3)});
}

TEST_CASE("dates: start, end, frequency") {
  CHECK(dates_of(Json::object()) == Names{"01-14T12", "01-14T18", "01-15T00", "01-15T06", "01-15T12"});
  CHECK(dates_of({{"start", "2024-01-15"}}) == Names{"01-15T00", "01-15T06", "01-15T12"});
  CHECK(dates_of({{"end", "2024-01-14"}}) == Names{"01-14T12", "01-14T18"});
  CHECK(dates_of({{"end", 20240114}}) == Names{"01-14T12", "01-14T18"});
  CHECK(dates_of({{"start", 2024}, {"end", "2024-01"}}).size() == 5);
  CHECK(dates_of({{"start", "2024-01-14T13:00:00"}, {"end", "2024-01-15 06:00:00"}}) ==
        Names{"01-14T18", "01-15T00", "01-15T06"});
  CHECK(dates_of({{"frequency", "12h"}}) == Names{"01-14T12", "01-15T00", "01-15T12"});
  // frequency counts from the first date that start leaves
  CHECK(dates_of({{"frequency", 12}, {"start", "2024-01-14T18:00:00"}}) == Names{"01-14T18", "01-15T06"});
  CHECK(open_with({{"frequency", "12h"}})->frequency() == std::chrono::hours(12));
}

TEST_CASE("options within options") {
  const Json inner = {{"dataset", packed_store("blosc-lz4")}, {"rename", {{"lsm", "mask"}}}, {"start", "2024-01-15"}};
  const Json outer = {{"dataset", inner}, {"select", {"mask"}}, {"frequency", "12h"}};
  const auto dataset = datasets::open_dataset(config::parse_open_dataset(outer, "here"));
  CHECK(dataset->variables() == Names{"mask"});
  CHECK(dataset->dates().size() == 2);
  std::vector<float> values(2);
  dataset->read({{1, 0}, {0}, {.begin = 5, .end = 6}}, values.data());
  CHECK(values == std::vector{static_cast<float>(value_of(4, 3, 5)), static_cast<float>(value_of(2, 3, 5))});
}

TEST_CASE("points: trim_edge, thinning, area") {
  const UnpackedStore store("blosc-lz4");
  store.change(".zattrs", "\"flatten_grid\": true", "\"field_shape\": [3, 9]");
  const auto points_of = [&](Json options) {
    options["dataset"] = store.path();
    const auto dataset = datasets::open_dataset(config::parse_open_dataset(options, "here"));
    const std::int64_t count = dataset->points();
    std::vector<double> values(static_cast<std::size_t>(count));
    dataset->read({{1}, {2}, {.begin = 0, .end = count}}, values.data());
    const fields::Points coordinates = dataset->coordinates();
    std::vector<std::int64_t> points;
    for (std::size_t i = 0; i < values.size(); ++i) {
      points.push_back(static_cast<std::int64_t>((values[i] - value_of(1, 2, 0)) * 32));
      CHECK(coordinates.longitudes[i] == 10.0 * static_cast<double>(points.back()));
    }
    double second = 0;
    if (count > 1) dataset->read({{1}, {2}, {.places = {1}}}, &second);
    if (count > 1) CHECK(second == values[1]);
    return points;
  };
  using Points = std::vector<std::int64_t>;
  CHECK(points_of({{"trim_edge", 1}}) == Points{10, 11, 12, 13, 14, 15, 16});
  CHECK(points_of({{"trim_edge", {0, 2, 5, 2}}}) == Points{5, 6});
  CHECK(points_of({{"thinning", 2}}) == Points{0, 2, 4, 6, 8, 18, 20, 22, 24, 26});
  // the edge goes first: rows 1 and 2, columns 1 to 8, of which every third
  CHECK(points_of({{"thinning", 3}, {"trim_edge", {1, 0, 1, 0}}}) == Points{10, 13, 16});
  CHECK(points_of({{"area", {70, 20, 60, 40}}}) == Points{2, 3, 4});
  CHECK(points_of({{"area", {90, -340, 60, -320}}}) == Points{2, 3, 4});
  CHECK(points_of({{"area", {80, 0, 60, 360}}, {"thinning", 2}}) == Points{0, 2, 4});
  const auto check = [&](const Json& options, const std::string& what) {
    const std::string said = refusal([&] { points_of(options); });
    CAPTURE(said);
    CHECK(said.find(what) != std::string::npos);
  };
  check({{"trim_edge", 2}}, "`trim_edge` leaves no points");
  check({{"trim_edge", Json::array({1, 2})}}, "`dataset.trim_edge` has 2 numbers, four are needed");
  check({{"trim_edge", -1}}, "`dataset.trim_edge` cannot be the integer -1");
  check({{"thinning", 0}}, "`dataset.thinning` cannot be the integer 0");
  check({{"thinning", 2}, {"method", "random"}}, "`dataset.method` cannot be 'random'");
  check({{"area", {10, 20, -10, 40}}}, "no point of the dataset lies in `area`");
  store.change(".zattrs", "[3, 9]", "[3, 8]");
  check({{"thinning", 2}}, "`field_shape` has 24 points, `data` has 27");
  store.change(".zattrs", "[3, 8]", "[27]");
  check({{"thinning", 2}}, "`thinning` needs a grid of rows and columns");
}

TEST_CASE("options that do not fit the store") {
  const auto check = [](const Json& options, const std::string& what) {
    const std::string said = refusal([&] { open_with(options); });
    CAPTURE(said);
    CHECK(said.find(what) != std::string::npos);
  };
  check({{"select", {"2t", "mls"}}}, "`select` names 'mls', which the dataset has not");
  check({{"select", {"2t", "mls"}}}, "did you mean 'msl'?");
  check({{"select", {"2t", "2t"}}}, "`select` names a variable twice");
  check({{"drop", "x"}}, "`drop` names 'x'");
  check({{"reorder", {"2t", "msl"}}}, "`reorder` names 2 variables of 4");
  check({{"rename", {{"2t", "msl"}}}}, "`rename` gives two variables one name");
  check({{"frequency", "9h"}}, "`frequency` 9h is no multiple of the dataset's 6h");
  check({{"start", 2025}}, "no date of the dataset lies between `start` and `end`; it has 2024-01-14T12:00:00 to");
  check({{"cutout", {"a.zarr", "b.zarr"}}}, "`dataset.cutout` is not supported by this build");
  check({{"start", "yesterday"}}, "`dataset.start` cannot be the text 'yesterday'");
  check({{"start", "2024-13"}}, "`dataset.start` cannot be");
  check({{"selct", "2t"}}, "unknown key `dataset.selct`");
}
