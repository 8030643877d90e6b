// Datasets as inputs: the values of every rank's rows, warnings, and what is refused when a run begins.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "common/errors.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/io/fixture.h"
#include "worker/dist/communicator.h"
#include "worker/inputs/input.h"

using namespace tradewind;
using namespace tradewind::test;
using std::chrono::hours;

namespace {

const Time first = parse_date("2024-01-14T12");

config::DatasetInputConfig store(const std::string& name, const std::string& rename = {}) {
  config::DatasetInputConfig config;
  config.dataset.emplace();
  config.dataset->path = std::string(TRADEWIND_STORES) + "/" + name + ".zarr.zip";
  if (!rename.empty()) config.dataset->rename = {{rename, "new"}};
  return config;
}

// As the stores were made.
float value_of(int d, int v, std::int64_t p) { return static_cast<float>(16 * v + d) + static_cast<float>(p) / 32; }

}  // namespace

TEST_CASE("every rank reads its rows of a dataset, of all its points or of some") {
  const checkpoint::Metadata metadata;
  for (const int world_size : {1, 2, 3, 4}) {
    for (const bool some : {false, true}) {
      tradewind::testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
        config::DatasetInputConfig config = store("blosc-bits", "msl");
        if (some) config.grid_indices = {26, 3, 4, 5, 0, 11, 10};
        const auto input = inputs::make_input(config, metadata, communicator);
        const std::int64_t points = some ? 7 : 27;
        const auto grid = input->grid_points(points);
        const auto point = [&](std::int64_t row) { return some ? (*config.grid_indices)[row] : row; };
        for (std::int64_t row = 0; row < points; ++row)
          CHECK(grid->latitudes[row] == 80 - 5.0 * static_cast<double>(point(row)));
        const dist::RowRange rows = dist::Shards(points, world_size).range(communicator.rank());
        const at::Tensor values = input->read({"lsm", "new"}, {first + hours(18), first}, rows).contiguous();
        const at::Tensor wide = input->read_double({"lsm", "new"}, {first + hours(18), first}, rows).contiguous();
        REQUIRE(values.sizes() == at::IntArrayRef({2, rows.size(), 2}));
        CHECK(at::equal(values.to(at::kDouble), wide));
        const float* value = values.const_data_ptr<float>();
        for (const int d : {3, 0})
          for (std::int64_t row = rows.begin; row < rows.end; ++row)
            for (const int v : {3, 1}) CHECK(*value++ == value_of(d, v, point(row)));
        CHECK(input->latest_date() == first + hours(24));
      });
    }
  }
}

TEST_CASE("what a dataset has not, and the grid it is on") {
  checkpoint::Metadata metadata;
  metadata.grid = "o96";
  const auto communicator = dist::make_single_communicator();
  const auto input = inputs::make_input(store("odd"), metadata, *communicator);
  const auto said = [&](const std::string& variable, Time date, std::int64_t rows = 27) {
    return error_of([&] { input->read({variable}, {date}, {0, rows}); });
  };
  CHECK(has(said("t_851", first), "the dataset has no variable t_851, which the model reads"));
  CHECK(has(said("t_851", first), "did you mean 't_850'?"));
  CHECK(has(said("2t", first + hours(3)), "no date 2024-01-14T15:00:00; it has 2024-01-14T12:00:00 to 2024-01-15T12"));
  CHECK(has(said("2t", first + hours(18)), "date 2024-01-15T06:00:00 is missing in the dataset"));
  CHECK(has(said("2t", first, 28), "the input has 27 grid points, the model has 28"));
  CHECK(has(error_of([&] { input->grid_points(40320); }), "give a dataset on the model's grid (o96)"));
  CHECK(said("2t", first).empty());
  CHECK(input->take_warnings().empty());
  CHECK(said("2t", first + hours(6)).empty());
  const std::vector<std::string> warnings = input->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(has(warnings[0], "chunks are not there in"));
  const auto other = std::make_shared<const fields::Points>(
      fields::Points{std::vector<double>(27, 1.0), std::vector<double>(27, 2.0)});
  input->expect(std::make_shared<inputs::ExpectedGrid>(other, "the checkpoint"));
  CHECK(has(said("2t", first), "is on another grid: its point 0 has latitude 80.000000"));
  config::DatasetInputConfig beyond = store("odd");
  beyond.grid_indices = {0, 27};
  CHECK(has(error_of([&] { inputs::make_input(beyond, metadata, *communicator); }), "names point 27 of 27 (from 0)"));
}

TEST_CASE("the dataset of the training, as either layout of the metadata has it") {
  const auto communicator = dist::make_single_communicator();
  const std::string path = store("blosc-lz4").dataset->path;
  const auto variables_of = [&](const std::string& document) {
    checkpoint::Metadata metadata;
    metadata.dataset = "data";
    metadata.raw = checkpoint::Json::parse(document);
    metadata.multi_dataset_layout = document.find("\"datasets\"") != std::string::npos;
    return inputs::make_input(config::TestInputConfig{}, metadata, *communicator)
        ->read({"new"}, {first}, {0, 1})
        .item<float>();
  };
  // The test data is named by its last part, the training's has the whole path.
  const std::string training = R"({"dataset": ")" + path + R"("})";
  const std::string test = R"({"dataset": "blosc-lz4.zarr", "rename": {"lsm": "new"}, "start": 2024, "trajectory": 5})";
  CHECK(variables_of(R"({"config": {"dataloader": {"training": )" + training + R"(, "test": )" + test + "}}}") ==
        value_of(0, 3, 0));
  CHECK(variables_of(R"({"config": {"dataloader": {"training": {"datasets": {"data": {"dataset_config": )" + training +
                     R"(}}}, "test": {"datasets": {"data": {"dataset_config": )" + test + R"(, "end": null}}}}}})") ==
        value_of(0, 3, 0));
  CHECK(has(error_of([&] { variables_of(R"({"config": {"dataloader": {}}})"); }),
            "the checkpoint does not tell which dataset is its test data"));
  CHECK(has(error_of([&] { variables_of(R"({"config": {"dataloader": {"test": {"dataset": "aifs-o96"}}}})"); }),
            "the checkpoint's metadata, config.dataloader.test"));
}
