#include "launcher/requests/requests.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

// A model of two variables on two levels, one at the surface, one that nothing has to be asked for, and one result.
checkpoint::Metadata small() {
  checkpoint::Metadata metadata;
  const auto add = [&](const char* name, Json mars) -> checkpoint::Variable& {
    metadata.variable_order.emplace_back(name);
    return metadata.variables[name] = {.name = name, .mars = std::move(mars)};
  };
  for (const char* param : {"t", "q"})
    for (const int level : {850, 500})
      add((std::string(param) + "_" + std::to_string(level)).c_str(),
          {{"param", param}, {"levtype", "pl"}, {"levelist", level}, {"class", "ea"}, {"date", "1979-01-01"}});
  add("2t", {{"param", "2t"}, {"levtype", "sfc"}, {"class", "ea"}});
  add("lsm", {{"param", "lsm"}, {"levtype", "sfc"}, {"class", "ea"}}).constant_in_time = true;
  add("insolation", {{"param", "insolation"}}).computed_forcing = true;
  add("tp", {{"param", "tp"}, {"levtype", "sfc"}, {"class", "ea"}}).process = checkpoint::Process::accumulation;
  metadata.prognostic = {"t_850", "t_500", "q_850", "q_500", "2t"};
  metadata.forcing = {"lsm", "insolation"};
  metadata.diagnostic = {"tp"};
  metadata.raw = {{"dataset", {{"data_request", {{"grid", {0.25, 0.25}}, {"area", {90, 0.0, -90, 359.75}}}}}}};
  return metadata;
}

std::vector<Json> requests(const char* type, std::vector<Time> dates, bool scda = false) {
  return requests_for(small(), {.selection = *selection_of(type), .dates = std::move(dates), .split_times = scda});
}

}  // namespace

TEST_CASE("a request for each type of level, of all levels, variables and times") {
  const auto all = requests("default-input", {parse_date("2024-01-15T00"), parse_date("2024-01-15T06")});
  REQUIRE(all.size() == 2);
  CHECK(all[0] == Json({{"param", {"q", "t"}},
                        {"levtype", "pl"},
                        {"levelist", {500, 850}},
                        {"class", "ea"},
                        {"date", "2024-01-15"},
                        {"time", {"0000", "0600"}},
                        {"grid", {0.25, 0.25}},
                        {"area", {90, 0.0, -90, 360}}}));
  CHECK(all[1]["param"] == Json({"2t", "lsm"}));
  CHECK(mars_text("retrieve", all[0]) ==
        "retrieve,\n   param=q/t,\n   levtype=pl,\n   levelist=500/850,\n   class=ea,\n   date=2024-01-15,\n"
        "   time=0000/0600,\n   grid=0.25/0.25,\n   area=90/0.0/-90/360\n");
}

TEST_CASE("of dates and times no combination is asked for that is not needed") {
  const auto all = requests("prognostics", {parse_date("2024-01-14T18"), parse_date("2024-01-15T00")});
  REQUIRE(all.size() == 4);
  for (const Json& one : all) CHECK(one["time"] == (one["date"] == "2024-01-14" ? "1800" : "0000"));
}

TEST_CASE("kinds of variables") {
  const auto names = [](Selection selection) { return selected_variables(small(), selection); };
  CHECK(names(*selection_of("constant-forcings")) == std::vector<std::string>{"lsm"});
  CHECK(names(*selection_of("dynamic-forcings")).empty());
  CHECK(names({{"diagnostic+accumulation"}, {}}) == std::vector<std::string>{"tp"});
  CHECK(names({{"diagnostic+constant"}, {}}).empty());
  CHECK(names({{"computed"}, {}}) == std::vector<std::string>{"insolation"});
  CHECK_FALSE(selection_of("everything"));
  for (const std::string& type : input_types()) CHECK(selection_of(type));
}

TEST_CASE("scda at 06 and 18 UTC, of operational data alone") {
  checkpoint::Metadata metadata = small();
  metadata.variables["2t"].mars = {{"param", "2t"}, {"class", "od"}, {"stream", "oper"}};
  const auto all = requests_for(metadata, {.selection = {{"prognostic"}, {}},
                                           .dates = {parse_date("2024-01-15T00"), parse_date("2024-01-15T06")},
                                           .split_times = true,
                                           .extra = {{"expver", "0079"}}});
  int checked = 0;
  for (const Json& one : all) {
    CHECK(one["expver"] == "0079");
    if (one["param"] != "2t") continue;
    CHECK(one["stream"] == (one["time"] == "0600" ? "scda" : "oper"));
    ++checked;
  }
  CHECK(checked == 2);
}

TEST_CASE("what a filter makes its variables of is asked for in their place") {
  checkpoint::Metadata metadata = small();
  metadata.variable_order = {"cos_mwd", "sin_mwd", "swh"};
  metadata.prognostic = metadata.variable_order;
  for (const std::string& name : metadata.variable_order)
    metadata.variables[name] = {.name = name, .mars = {{"param", name}, {"stream", "wave"}}};
  const config::PreProcessor waves = config::ForwardTransform{.transform = config::CosSinMeanWaveDirection{}};
  const auto all = requests_for(
      metadata,
      {.selection = *selection_of("prognostics"), .dates = {parse_date("2024-01-15")}, .pre_processors = {waves}});
  REQUIRE(all.size() == 1);
  CHECK(all.front()["param"] == Json({"mwd", "swh"}));
}

TEST_CASE("tables are put together only where they stand for the same combinations") {
  const std::vector<Json> fields = {
      {{"a", 1}, {"b", 1}}, {{"a", 1}, {"b", 2}}, {{"a", 2}, {"b", 1}}, {{"a", 1}, {"b", 1}}};
  const auto together = put_together(fields);
  CHECK(together == std::vector<Json>{{{"a", {1, 2}}, {"b", {1}}}, {{"a", {1}}, {"b", {2}}}});
}
