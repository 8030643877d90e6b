// Outputs made of others, filters before an output, .npz files: the same from any number of ranks and uneven grids.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <filesystem>

#include "common/archive/archive.h"
#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/npz/npz.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"

using namespace tradewind;
using namespace tradewind::test;
using namespace tradewind::outputs;
using std::chrono::hours;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t points = 30;
const Time start = parse_date("2024-01-15T18:00:00");

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.dataset = "data";
  metadata.output = {"2t", "msl", "tp"};
  for (const std::string& name : metadata.output) metadata.variables[name].name = name;
  metadata.variables["tp"].process = checkpoint::Process::accumulation;
  return metadata;
}

float value_of(std::size_t variable, std::int64_t row, long step) {
  return static_cast<float>(variable) * 1000.0F + static_cast<float>(row) + static_cast<float>(step) / 100.0F;
}

State state_at(long step, const std::vector<std::int64_t>& counts, int rank, bool values = true) {
  const fields::Rows rows(counts);
  const dist::RowRange own = rows.range(rank);
  fields::Points coordinates;
  for (std::int64_t row = own.begin; row < own.end; ++row) {
    coordinates.latitudes.push_back(0.1 * static_cast<double>(row));
    coordinates.longitudes.push_back(100.0 + static_cast<double>(row));
  }
  State state{.base = start, .step = hours(step), .previous_step = hours(std::max(0L, step - 6))};
  state.variables = {"2t", "msl", "tp"};
  state.grid = std::make_shared<const fields::Grid>(
      fields::Grid{rows, std::make_shared<const fields::Points>(std::move(coordinates))});
  if (!values) return state;
  state.values = at::empty({3, own.size()}, at::kFloat);
  for (std::size_t variable = 0; variable < 3; ++variable)
    for (std::int64_t i = 0; i < own.size(); ++i)
      state.values[static_cast<std::int64_t>(variable)][i] = value_of(variable, own.begin + i, step);
  return state;
}

Outlook outlook_of(const std::vector<long>& steps, const std::vector<std::int64_t>& counts, int rank) {
  Outlook outlook;
  outlook.initial = outlook.forecast = state_at(0, counts, rank, false);
  for (const long step : steps) outlook.moments.push_back({hours(step), hours(step - 6)});
  return outlook;
}

// Steps 0, 6, 12, 18 through the output, on ranks that have so many rows.
void write_all(const config::OutputConfig& config, const std::vector<std::int64_t>& counts) {
  const checkpoint::Metadata metadata = some_metadata();
  const auto as_rank = [&](dist::Communicator& communicator) {
    const auto output = make_output(config, OutputContext{.metadata = metadata}, communicator);
    output->prepare(outlook_of({6, 12, 18}, counts, communicator.rank()));
    for (const long step : {0, 6, 12, 18})
      if (output->wants(hours(step))) output->write(state_at(step, counts, communicator.rank()));
    output->close();
  };
  if (counts.size() > 1) return tradewind::testing::run_ranks(static_cast<int>(counts.size()), as_rank);
  as_rank(*dist::make_single_communicator());
}

config::RawOutputConfig raw(const std::string& folder) {
  config::RawOutputConfig config;
  config.dir = folder;
  return config;
}

at::Tensor array_of(const std::string& file, const std::string& name) {
  return npz::read(*archive::Archive::open(file), name);
}

std::vector<std::string> names_in(const std::string& file) {
  std::vector<std::string> names;
  const auto archive = archive::Archive::open(file);
  for (const auto& entry : archive->entries()) names.push_back(entry.name);
  return names;
}

const std::vector<std::vector<std::int64_t>> splits = {{30}, {10, 10, 10}, {1, 0, 29}, {8, 8, 7, 7, 0}};

}  // namespace

TEST_CASE("raw: one .npz per state, as the reference names and types its arrays") {
  for (const auto& counts : splits) {
    CAPTURE(counts.size());
    const TemporaryFolder folder;
    write_all(raw(folder / "{dataset}"), counts);
    CHECK(std::distance(fs::directory_iterator(folder / "data"), fs::directory_iterator()) == 4);
    const std::string file = folder / "data/20240116000000.npz";  // at step 6
    CHECK(names_in(file) == std::vector<std::string>{"field_2t.npy", "field_msl.npy", "field_tp.npy", "date.npy",
                                                     "latitudes.npy", "longitudes.npy"});
    const at::Tensor tp = array_of(file, "field_tp");
    REQUIRE(tp.sizes() == at::IntArrayRef({points}));
    REQUIRE((tp.scalar_type() == at::kFloat));
    for (std::int64_t row = 0; row < points; ++row) CHECK(tp[row].item<float>() == value_of(2, row, 6));
    const at::Tensor latitudes = array_of(file, "latitudes");
    CHECK((latitudes.scalar_type() == at::kDouble));
    CHECK(at::equal(latitudes, at::arange(points, at::kDouble) * 0.1));
    CHECK(at::equal(array_of(file, "longitudes"), at::arange(points, at::kDouble) + 100));
    const auto archive = archive::Archive::open(file);
    const std::string date = archive->read(*archive->find("date.npy"), 1000);
    CHECK(has(date, "'descr': '<U19'"));
    CHECK(has(date, "'shape': ()"));
    std::string text;
    for (std::size_t i = date.size() - 4 * 19; i < date.size(); i += 4) text += date[i];
    CHECK(text == "2024-01-16 00:00:00");
  }
}

TEST_CASE("raw: names of files, and what they must not be") {
  const TemporaryFolder folder;
  config::RawOutputConfig config = raw(folder / "out");
  config.file_template = "{basetime}+{step}.npz";
  config.strftime = "%Y%m%d-%H";
  config.common.write_initial_state = false;
  config.common.variables = config::VariableSelection{.drop = true, .patterns = {{"2t", {}, {}}}, .at = {}};
  write_all(config, {30});
  CHECK(names_in(folder / "out/20240115-18+6:00:00.npz").size() == 5);
  CHECK(fs::exists(folder / "out/20240115-18+18:00:00.npz"));
  CHECK_FALSE(fs::exists(folder / "out/20240115-18+0:00:00.npz"));
  config.file_template = "{date}.npz";
  config.strftime = "%Y%m%d";
  CHECK(has(error_of([&] { write_all(config, {30}); }),
            "two states would be written to " + (folder / "out/20240116.npz")));
  config.common.variables->patterns.front().glob = "*";
  CHECK(has(error_of([&] { write_all(config, {30}); }), "no variable of the forecast is selected"));
  write_file(folder / "file", "not a folder");
  CHECK(has(error_of([&] { write_all(raw(folder / "file"), {30}); }), "is a file"));
}

TEST_CASE("raw: what stands in the way of a later state is found before the first") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "out/20240116060000.npz");
  CHECK(
      has(error_of([&] { write_all(raw(folder / "out"), {30}); }), "20240116060000.npz: the output path is a folder"));
  for (const auto& entry : fs::directory_iterator(folder / "out")) CHECK(entry.is_directory());
  fs::create_symlink("circle", folder / "circle");
  CHECK(has(error_of([&] { write_all(raw(folder / "circle"), {30}); }), "links that go in a circle"));
}

TEST_CASE("a tee: each output with its own steps, variables and filters, after those of the tee") {
  for (const auto& counts : splits) {
    CAPTURE(counts.size());
    const TemporaryFolder folder;
    config::ExtractSlice tenth, first;
    tenth.step = 10;
    first.stop = 1;
    config::RawOutputConfig all = raw(folder / "all"), some = raw(folder / "some"), last = raw(folder / "last");
    all.common.post_processors = {config::AccumulateFromStart{}};
    some.common.output_frequency = hours(12);
    some.common.post_processors = {config::AccumulateFromStart{}};
    last.common.post_processors = {first};
    config::TeeOutputConfig tee;
    tee.post_processors = {tenth};
    tee.outputs = {all, some, config::NoOutputConfig{}};
    config::TeeOutputConfig outer;
    outer.outputs = {tee, last};
    write_all(outer, counts);
    const auto sum = [&](std::int64_t row, const std::vector<long>& steps) {
      float total = 0;
      for (const long step : steps) total += value_of(2, row, step);
      return total;
    };
    const at::Tensor every = array_of(folder / "all/20240116060000.npz", "field_tp");
    REQUIRE(every.numel() == 3);
    CHECK(every[1].item<float>() == sum(10, {0, 6, 12}));
    // An output's own filters see what it writes.
    CHECK(array_of(folder / "some/20240116060000.npz", "field_tp")[1].item<float>() == sum(10, {0, 12}));
    CHECK(array_of(folder / "some/20240116060000.npz", "field_msl")[2].item<float>() == value_of(1, 20, 12));
    CHECK(std::distance(fs::directory_iterator(folder / "some"), fs::directory_iterator()) == 2);
    CHECK(array_of(folder / "last/20240116120000.npz", "field_tp").numel() == 1);
    CHECK(array_of(folder / "last/20240116120000.npz", "field_tp")[0].item<float>() == value_of(2, 0, 18));
    CHECK(array_of(folder / "all/20240116060000.npz", "latitudes")[2].item<double>() == doctest::Approx(2.0));
  }
}

TEST_CASE("a tee's own filters see every state, whatever its outputs write") {
  const TemporaryFolder folder;
  config::RawOutputConfig inner = raw(folder / "out");
  inner.common.output_frequency = hours(12);
  config::TeeOutputConfig tee;
  tee.post_processors = {config::AccumulateFromStart{}};
  tee.outputs = {inner};
  write_all(tee, {10, 20});
  const float sum = value_of(2, 3, 0) + value_of(2, 3, 6) + value_of(2, 3, 12);
  CHECK(array_of(folder / "out/20240116060000.npz", "field_tp")[3].item<float>() == sum);
}

TEST_CASE("outputs with filters go on after an interruption as if there had been none") {
  const checkpoint::Metadata metadata = some_metadata();
  const auto communicator = dist::make_single_communicator();
  const TemporaryFolder folder;
  config::RawOutputConfig one = raw(folder / "one"), two = raw(folder / "two");
  one.common.post_processors = {config::AccumulateFromStart{}};
  config::TeeOutputConfig tee;
  tee.outputs = {one, two};
  tee.post_processors = {config::ExtractSlice{}};
  const auto begin = [&] { return make_output(tee, OutputContext{.metadata = metadata}, *communicator); };
  Settled settled;
  {
    const auto output = begin();
    CHECK(why_no_restart(*output).empty());
    for (const long step : {0, 6}) output->write(state_at(step, {30}, 0));
    settled = restartable(*output).settle();
    for (auto& kept : settled.kept)
      for (auto& [name, field] : kept) field = field.clone();
    output->write(state_at(12, {30}, 0));  // lost
  }
  CHECK(settled.kept.size() == 2);
  const auto output = begin();
  restartable(*output).resume(std::move(settled));
  for (const long step : {12, 18}) output->write(state_at(step, {30}, 0));
  output->close();
  const float sum = value_of(2, 3, 0) + value_of(2, 3, 6) + value_of(2, 3, 12);
  CHECK(array_of(folder / "one/20240116060000.npz", "field_tp")[3].item<float>() == sum);
  CHECK(array_of(folder / "two/20240116060000.npz", "field_tp")[3].item<float>() == value_of(2, 3, 12));
  CHECK(output->files().size() == 8);
  config::TeeOutputConfig with_printer;
  with_printer.outputs = {one, config::PrinterOutputConfig{}};
  CHECK(has(why_no_restart(*make_output(with_printer, OutputContext{.metadata = metadata}, *communicator)), "printer"));
}
