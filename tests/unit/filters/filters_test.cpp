// What filters make of states, on the rows that each rank has: the same as of the whole grid.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/filters/accumulate.h"
#include "worker/filters/chain.h"
#include "worker/filters/mask.h"
#include "worker/npz/npy_header.h"

using namespace tradewind;
using namespace tradewind::filters;
using test::put_text;
using test::TemporaryFolder;

namespace {

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  for (const char* name : {"2t", "msl", "tp"}) metadata.variables[name].name = name;
  metadata.variables["tp"].process = checkpoint::Process::accumulation;
  metadata.output = {"2t", "msl", "tp"};
  return metadata;
}

config::AccumulateFromStart of(std::vector<std::string> names) {
  config::AccumulateFromStart config;
  config.accumulations = std::move(names);
  return config;
}

// Two variables on a grid of so many points of which this rank has its share; value and place tell the row.
fields::State state_of(const std::vector<std::int64_t>& counts, int rank) {
  const fields::Rows rows(counts);
  const dist::RowRange range = rows.range(rank);
  auto points = std::make_shared<fields::Points>();
  for (std::int64_t row = range.begin; row < range.end; ++row) {
    points->latitudes.push_back(static_cast<double>(row));
    points->longitudes.push_back(static_cast<double>(100 + row));
  }
  fields::State state;
  state.variables = {"2t", "tp"};
  state.grid = std::make_shared<const fields::Grid>(fields::Grid{rows, points});
  const at::Tensor values = at::arange(range.begin, range.end, at::kFloat);
  state.values = at::stack({values, values + 1000});
  return state;
}

// What all ranks have after the filters, one rank after another.
struct Whole {
  std::vector<std::int64_t> counts;
  std::vector<float> values;  // of the second variable
  std::vector<double> latitudes;
};
Whole after(const std::vector<config::FilterConfig>& configs, const std::vector<std::int64_t>& counts) {
  const checkpoint::Metadata metadata = some_metadata();
  Whole whole;
  for (int rank = 0; rank < static_cast<int>(counts.size()); ++rank) {
    Chain chain(configs, {metadata, rank});
    fields::State state = state_of(counts, rank);
    const at::Tensor given = state.values, copy = given.clone();
    fields::Outlook outlook;
    outlook.initial = outlook.forecast = state;
    outlook.initial.values = outlook.forecast.values = at::Tensor();
    chain.describe(outlook);
    chain.apply(state);
    CHECK(at::equal(given, copy));  // handed over, not written into
    CHECK(outlook.forecast.variables == state.variables);
    CHECK(outlook.forecast.grid->rows.counts() == state.grid->rows.counts());
    const dist::RowRange range = state.grid->rows.range(rank);
    REQUIRE(state.values.size(1) == range.size());
    CHECK(state.values.is_contiguous());
    CHECK(static_cast<std::int64_t>(state.grid->points->longitudes.size()) == range.size());
    whole.counts = state.grid->rows.counts();
    for (std::int64_t i = 0; i < range.size(); ++i) whole.values.push_back(state.values[1][i].item<float>());
    whole.latitudes.insert(whole.latitudes.end(), state.grid->points->latitudes.begin(),
                           state.grid->points->latitudes.end());
  }
  return whole;
}

config::ExtractSlice slice(std::optional<std::int64_t> start, std::optional<std::int64_t> stop, std::int64_t step = 1) {
  config::ExtractSlice config;
  config.start = start;
  config.stop = stop;
  config.step = step;
  config.at = {"post_processors.0.extract_slice", "c.yaml:1:1"};
  return config;
}

std::string npy(const std::vector<bool>& mask, const std::string& type = "|b1") {
  std::string bytes = npz::make_npy_header({.type = type, .shape = {static_cast<std::int64_t>(mask.size())}});
  for (const bool one : mask) bytes += one ? '\x01' : '\0';
  return bytes;
}

config::ExtractMask masked(const std::string& mask, bool inverse = false, bool as_slice = false) {
  config::ExtractMask config;
  config.mask = mask;
  config.inverse = inverse;
  config.as_slice = as_slice;
  config.at = config.mask_at = {"post_processors.0.extract_mask", "c.yaml:1:1"};
  return config;
}

config::AssignMask assigned(const std::string& mask, double fill) {
  config::AssignMask config;
  config.mask = mask;
  config.fill_value = fill;
  config.at = config.mask_at = {"post_processors.1.assign_mask", "c.yaml:2:2"};
  return config;
}

// What happens on any rank.
std::string error_of(const std::vector<config::FilterConfig>& configs, const std::vector<std::int64_t>& counts) {
  try {
    after(configs, counts);
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("accumulation from the start of the forecast") {
  const checkpoint::Metadata metadata = some_metadata();
  Accumulate accumulate({}, {metadata, 0});
  fields::State state;
  state.variables = {"2t", "tp"};
  const at::Tensor given = at::tensor({1.F, -2.F, 3.F, 0.5F, -1.F, 2.F}).view({2, 3});
  state.values = given;
  accumulate.apply(state);
  CHECK(at::equal(state.values, at::tensor({1.F, -2.F, 3.F, 0.5F, 0.F, 2.F}).view({2, 3})));
  CHECK(state.start_steps.at("tp") == Duration::zero());
  CHECK(state.start_steps.size() == 1);
  state.values = given;
  accumulate.apply(state);
  CHECK(at::equal(state.values[1], at::tensor({1.F, 0.F, 4.F})));
  CHECK(given[1][0].item<float>() == 0.5F);        // the model's own tensor is left alone
  Accumulate none(of({"absent"}), {metadata, 0});  // another dataset's: the launcher has looked at all of them
  state.values = given;
  none.apply(state);
  CHECK(at::equal(state.values, given));
  Accumulate some(of({"absent", "tp", "2t"}), {metadata, 0});
  state.values = given;
  state.start_steps.clear();
  some.apply(state);
  CHECK(at::equal(state.values, at::tensor({1.F, 0.F, 3.F, 0.5F, 0.F, 2.F}).view({2, 3})));
  CHECK(state.start_steps.size() == 2);
  config::AccumulateFromStart config = of({"2t"});
  config.allow_negative = true;
  Accumulate signed_sums(config, {metadata, 0});
  state.values = given;
  signed_sums.apply(state);
  state.values = given;
  signed_sums.apply(state);
  CHECK(at::equal(state.values[0], at::tensor({2.F, -4.F, 6.F})));
  CHECK_FALSE(accumulate.keeps_nothing());
  fields::State described;
  described.variables = {"tp", "msl"};
  accumulate.describe(described);
  CHECK(described.start_steps.size() == 1);
  CHECK(described.start_steps.at("tp") == Duration::zero());
}

TEST_CASE("a slice is what Python's slice picks, whatever rows the ranks have") {
  const std::vector<std::vector<std::int64_t>> splits = {{20}, {7, 7, 6}, {0, 3, 17, 0}, {1, 1, 18}};
  struct Case {
    config::ExtractSlice config;
    std::vector<std::int64_t> rows;
  };
  const std::vector<Case> cases = {{slice({}, 4), {0, 1, 2, 3}},       {slice(5, 9), {5, 6, 7, 8}},
                                   {slice(-3, {}), {17, 18, 19}},      {slice(2, -15), {2, 3, 4}},
                                   {slice(1, 100, 6), {1, 7, 13, 19}}, {slice(-100, {}, 9), {0, 9, 18}},
                                   {slice(6, {}, 1000000), {6}},       {slice(19, {}), {19}}};
  for (const auto& counts : splits) {
    for (const Case& one : cases) {
      CAPTURE(one.rows.front());
      CAPTURE(counts.size());
      const Whole whole = after({one.config}, counts);
      REQUIRE(whole.values.size() == one.rows.size());
      for (std::size_t i = 0; i < one.rows.size(); ++i) {
        CHECK(whole.values[i] == static_cast<float>(1000 + one.rows[i]));
        CHECK(whole.latitudes[i] == static_cast<double>(one.rows[i]));
      }
    }
  }
  CHECK(after({slice(5, 9)}, {7, 7, 6}).counts == std::vector<std::int64_t>{2, 2, 0});
  CHECK_THROWS_WITH_AS(after({slice(5, 5)}, {7, 7, 6}),
                       doctest::Contains("`post_processors.0.extract_slice` leaves none of the 20 points"), UserError);
}

TEST_CASE("filters one after another: what is kept is that of each, and is taken up again") {
  const checkpoint::Metadata metadata = some_metadata();
  const std::vector<config::FilterConfig> configs = {slice(2, 18), of({"tp"}), slice({}, 4)};
  CHECK(after(configs, {7, 7, 6}).values == std::vector<float>{1002, 1003, 1004, 1005});
  Chain chain(configs, {metadata, 0}), again(configs, {metadata, 0});
  CHECK(chain.why_no_restart().empty());
  for (int step = 0; step < 3; ++step) {
    fields::State state = state_of({20}, 0);
    chain.apply(state);
    if (step == 1) {
      Kept kept = chain.kept();
      REQUIRE(kept.size() == 3);
      CHECK(kept[0].empty());
      CHECK(kept[1].at("tp").numel() == 16);
      for (auto& [name, field] : kept[1]) field = field.clone();
      again.take_up(std::move(kept));
    }
    CHECK(state.values[1][0].item<float>() == static_cast<float>(1002 * (step + 1)));
    if (step < 2) continue;
    fields::State other = state_of({20}, 0);
    again.apply(other);
    CHECK(at::equal(other.values, state.values));
  }
  CHECK_THROWS_AS(chain.take_up({}), InternalFault);
}

TEST_CASE("a mask keeps its points, its inverse the others, a slice as many from the beginning") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "mask.npy").string();
  std::vector<bool> mask(20);
  for (const int row : {0, 5, 6, 7, 13, 19}) mask[static_cast<std::size_t>(row)] = true;
  put_text(file, npy(mask));
  for (const std::vector<std::int64_t>& counts :
       {std::vector<std::int64_t>{20}, std::vector<std::int64_t>{7, 7, 6}, std::vector<std::int64_t>{0, 3, 17, 0}}) {
    CHECK(after({masked(file)}, counts).latitudes == std::vector<double>{0, 5, 6, 7, 13, 19});
    CHECK(after({masked(file)}, counts).values.back() == 1019);
    CHECK(after({masked(file, true)}, counts).values.size() == 14);
    CHECK(after({masked(file, true)}, counts).latitudes[4] == 8);
    CHECK(after({masked(file, false, true)}, counts).latitudes == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(after({masked(file, true, true)}, counts).latitudes.front() == 6);
    CHECK(after({masked(file, true, true)}, counts).values.size() == 14);
  }
  CHECK(error_of({slice({}, 19), masked(file)}, {7, 7, 6}).find("is of 20 points, the state has 19") !=
        std::string::npos);
  CHECK(error_of({masked((folder.path / "none.npy").string())}, {20}).find("is neither a file nor an array") !=
        std::string::npos);
  put_text(file, npy(mask, "<f4"));
  CHECK(error_of({masked(file)}, {20}).find("not a list of booleans (type '<f4', 1 dimensions)") != std::string::npos);
  put_text(file, npy(mask).substr(0, 140));
  CHECK(error_of({masked(file)}, {20}).find("do not fit each other") != std::string::npos);
  put_text(file, "no array");
  CHECK(error_of({masked(file)}, {20}).find("not a NumPy array") != std::string::npos);
}

TEST_CASE("a state goes to the places of a larger grid's mask, also where ranks have no point") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "wide.npy").string();
  std::vector<bool> mask(12);
  for (const int row : {2, 3, 7, 9, 10}) mask[static_cast<std::size_t>(row)] = true;
  put_text(file, npy(mask));
  for (const std::vector<std::int64_t>& counts :
       {std::vector<std::int64_t>{5}, std::vector<std::int64_t>{2, 2, 1}, std::vector<std::int64_t>{0, 0, 5, 0},
        std::vector<std::int64_t>{1, 0, 4}, std::vector<std::int64_t>{0, 5}}) {
    const Whole whole = after({assigned(file, -1)}, counts);
    CHECK(whole.values == std::vector<float>{-1, -1, 1000, 1001, -1, -1, -1, 1002, -1, 1003, 1004, -1});
    CHECK(whole.latitudes == std::vector<double>{-1, -1, 0, 1, -1, -1, -1, 2, -1, 3, 4, -1});
  }
  // There and back again.
  CHECK(after({assigned(file, -1), masked(file)}, {2, 2, 1}).values ==
        std::vector<float>{1000, 1001, 1002, 1003, 1004});
  CHECK(error_of({assigned(file, -1)}, {3, 3}).find("has room for 5 points, the state has 6") != std::string::npos);
}
