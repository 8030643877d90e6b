// What of a forecast is written: selection, printed text.
#include <filesystem>

#include "tests/unit/io/output_case.h"
#include "worker/fields/selection.h"

using namespace tradewind;
using namespace tradewind::test;
using fields::is_due;
using fields::is_selected;
namespace fs = std::filesystem;

TEST_CASE("which states and variables are written") {
  config::OutputCommon common;
  CHECK(is_due(common, true, std::nullopt, hours(0)));
  CHECK_FALSE(is_due(common, false, std::nullopt, hours(0)));
  CHECK_FALSE(is_due(common, true, hours(12), hours(6)));
  CHECK(is_due(common, true, hours(12), hours(24)));
  common.output_frequency = hours(6);
  common.write_initial_state = false;
  CHECK(is_due(common, true, hours(12), hours(6)));
  CHECK_FALSE(is_due(common, true, hours(12), hours(0)));

  const auto metadata = some_metadata();
  const auto selects = [&](const config::VariableSelection& selection) {
    std::string names;
    for (const auto& [name, variable] : metadata.variables)
      if (is_selected(selection, name, metadata)) names += name + " ";
    return names;
  };
  CHECK(selects({false, {{"t*", {}}}}) == "t_850 tp ");
  CHECK(selects({true, {{"t*", {}}, {"[!c]??", {}}}}) == "2t cos_latitude ");
  CHECK(selects({false, {{"", {{"levtype", {"pl"}}, {"levelist", {"500", "8*"}}}}}}) == "t_850 ");
  CHECK(selects({false, {{"", {{"levtype", {"pl"}}, {"class", {"*"}}}}}}) == "");
  CHECK(is_selected(std::nullopt, "anything", metadata));
}

TEST_CASE("the printer prints what the reference prints") {
  const TemporaryFolder folder;
  const auto metadata = golden_metadata("gt-transformer/inference-last.ckpt");
  const auto reference = read_messages(golden("gt-transformer/reference.grib"));
  State state;
  state.base = parse_date("2024-01-15");
  state.variables = metadata.prognostic;
  state.variables.insert(state.variables.end(), {"lsm", "z"});
  std::vector<at::Tensor> fields;
  for (std::size_t i = 0; i < state.variables.size(); ++i) fields.push_back(at::tensor(reference.at(i).values()));
  state.values = at::stack(fields);
  const std::string expected = R"(
[data] 😀 date=2024-01-15T00:00:00 latitudes=(5248,) longitudes=(5248,) fields=10

    10u   shape=(5248,) min=-8.65555       max=8.60308       
    10v   shape=(5248,) min=-4.587         max=6.227         
    2t    shape=(5248,) min=255.977        max=306.619       
    msl   shape=(5248,) min=100106         max=102420        

)";
  for (const int ranks : {1, 2}) {
    const auto as_rank = [&](dist::Communicator& communicator) {
      const OutputContext context{.metadata = metadata};
      const dist::Shards shards(5248, ranks);
      config::PrinterOutputConfig config;
      config.path = folder / "printed.txt";
      const auto printer = make_output(config, context, communicator);
      State part = state;
      part.grid = std::make_shared<const fields::Grid>(fields::Grid{fields::Rows(shards), {}});
      const dist::RowRange rows = shards.range(communicator.rank());
      part.values = state.values.slice(1, rows.begin, rows.end);
      printer->write(part);
      printer->close();
    };
    if (ranks == 1)
      as_rank(*dist::make_single_communicator());
    else
      tradewind::testing::run_ranks(ranks, as_rank);
    CHECK(text_of(folder / "printed.txt") == expected);
    CHECK_FALSE(fs::exists(folder / "printed.txt.lock"));
  }
}
