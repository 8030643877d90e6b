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
