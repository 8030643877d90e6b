#include "worker/forecast/roles.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;

namespace {

checkpoint::Metadata example() {
  checkpoint::Metadata metadata;
  metadata.variable_order =
      metadata.dataset_variables = {"2t", "cos_latitude", "insolation", "lsm", "sst", "tp", "z_500"};
  metadata.input = {"2t", "cos_latitude", "insolation", "lsm", "sst", "z_500"};
  metadata.prognostic = {"2t", "z_500"};
  metadata.diagnostic = {"tp"};
  metadata.forcing = {"cos_latitude", "insolation", "lsm", "sst"};
  for (const std::string& name : metadata.dataset_variables) metadata.variables[name].name = name;
  metadata.variables["cos_latitude"].computed_forcing = metadata.variables["insolation"].computed_forcing = true;
  metadata.variables["cos_latitude"].constant_in_time = metadata.variables["lsm"].constant_in_time = true;
  return metadata;
}

using Names = std::vector<std::string>;
using Columns = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("every input column gets the role the metadata gives it") {
  const forecast::Roles roles = forecast::assign_roles(example());
  CHECK(roles.prognostic.names == Names{"2t", "z_500"});
  CHECK(roles.prognostic.columns == Columns{0, 5});
  CHECK(roles.constant.names == Names{"lsm"});
  CHECK(roles.constant.columns == Columns{3});
  CHECK(roles.dynamic.names == Names{"sst"});
  CHECK(roles.computed_constant.names == Names{"cos_latitude"});
  CHECK(roles.computed_dynamic.names == Names{"insolation"});
  CHECK(roles.computed_dynamic.columns == Columns{2});
}

TEST_CASE("an input column without a role is refused by name") {
  checkpoint::Metadata metadata = example();
  metadata.forcing = {"cos_latitude", "insolation", "lsm"};
  CHECK_THROWS_WITH_AS(forecast::assign_roles(metadata), doctest::Contains("sst"), UserError);
}
