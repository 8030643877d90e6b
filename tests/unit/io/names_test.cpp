// Names of messages, templates of variables, paths of outputs.
#include <doctest/doctest.h>

#include <limits>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/index.h"
#include "worker/grib/namer.h"
#include "worker/grib/path_pattern.h"
#include "worker/grib/templates.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;

namespace {

void add(checkpoint::Metadata& metadata, const std::string& name, Json mars) {
  metadata.variables[name].name = name;
  metadata.variables[name].mars = std::move(mars);
}

std::shared_ptr<const TemplateSet> set_of(const std::string& name, const Handle& message) {
  auto set = std::make_shared<TemplateSet>();
  set->messages[name] = [bytes = message.bytes()] { return bytes; };
  return set;
}

}  // namespace

TEST_CASE("the checkpoint's (param, level) names a message, else param and level") {
  checkpoint::Metadata metadata;
  add(metadata, "temperature_850", {{"param", "t"}, {"levelist", 850}});
  add(metadata, "t2m", {{"param", "2t"}});
  add(metadata, "one", {{"param", "msl"}});
  add(metadata, "other", {{"param", "msl"}});
  const Namer namer(metadata);
  CHECK(namer(make_message({{"shortName", "t"}, {"level", 850}})) == "temperature_850");
  CHECK(namer(make_message({{"shortName", "t"}, {"level", 500}})) == "t_500");
  CHECK(namer(make_message({{"shortName", "2t"}})) == "t2m");
  CHECK(namer(make_message({{"shortName", "msl"}})) == "msl");  // two variables claim it
  CHECK(namer(make_message({{"shortName", "10u"}})) == "10u");
}

TEST_CASE("rules of the configuration come first") {
  const checkpoint::Metadata metadata;
  const Namer namer(metadata, {{{{"shortName", "t"}, {"level", "850"}}, "warm"},
                               {{{"shortName", "t"}}, "{param}-{level}hPa-{stepRange}"}});
  CHECK(namer(make_message({{"shortName", "t"}, {"level", 850}})) == "warm");
  CHECK(namer(make_message({{"shortName", "t"}, {"level", 500}, {"step", 6}})) == "t-500hPa-6");
  CHECK(namer(make_message({{"shortName", "q"}, {"level", 500}})) == "q_500");
  const Namer wrong(metadata, {{{{"shortName", "t"}}, "{nonsense}"}});
  CHECK_THROWS_AS(wrong(make_message({{"shortName", "t"}, {"level", 500}})), UserError);
}

TEST_CASE("valid time is base time plus the end of the step") {
  CHECK(valid_time(make_message({{"shortName", "2t"}, {"date", 20240229}, {"time", 1230}, {"step", 12}})) ==
        parse_date("2024-03-01T00:30:00"));
  CHECK(valid_time(make_message({{"productDefinitionTemplateNumber", 8},
                                 {"shortName", "tp"},
                                 {"date", 20231231},
                                 {"time", 1800},
                                 {"startStep", 0},
                                 {"endStep", 6}})) == parse_date("2024-01-01"));
  Handle minutes = make_message({{"shortName", "2t"}, {"date", 20240115}, {"time", 0}});
  minutes.set("stepUnits", std::string("m"));
  minutes.set("step", 90L);
  CHECK(valid_time(minutes) == parse_date("2024-01-15T01:30:00"));
}

TEST_CASE("builtin templates for any grid") {
  const auto count = [](const std::string& grid, std::optional<Corners> corners = {}) {
    const auto message = make_builtin(grid, true, corners);
    return message ? static_cast<long>(message->value_count()) : 0;
  };
  CHECK(count("o48") == 10944);
  CHECK(count("O1280") == 6599680);
  CHECK(count("o7") == 2 * (20 + 24 + 28 + 32 + 36 + 40 + 44));
  CHECK(count("N320") == 542080);
  CHECK(count("f16") == 64 * 32);
  CHECK(count("1.0") == 360 * 181);
  CHECK(count("[0.5, 0.25]") == 720 * 721);
  CHECK(count("0.5/0.5", Corners{60, -10, 50, 10}) == 41 * 21);
  CHECK(count("lambert") == 0);
  CHECK(count("") == 0);
  CHECK_THROWS_WITH_AS(make_builtin("N47", true, {}), doctest::Contains("N47"), UserError);
  CHECK_THROWS_AS(make_builtin("0.7", true, {}), UserError);
  // points as ecCodes works them out from the template
  const auto regular = make_builtin("2", false, {});
  const auto latitudes = regular->reals("latitudes"), longitudes = regular->reals("longitudes");
  CHECK(latitudes.front() == 90);
  CHECK(latitudes.back() == -90);
  CHECK(longitudes[1] == 2);
  CHECK(longitudes.back() == 358);
  const auto octahedral = make_builtin("o32", false, {});
  const auto messages = read_messages(golden("gt-transformer/input.grib"));
  CHECK(octahedral->reals("latitudes") == messages.front().reals("latitudes"));
  CHECK(octahedral->reals("longitudes") == messages.front().reals("longitudes"));
  for (const char* grid : {"O32", "N32", "F32", "2.0", "3.0x2.0"})
    CHECK(grid_name(*make_builtin(grid, false, {})) == grid);
  const auto northwards = make_builtin("10", false, Corners{-30, 0, 30, 40});
  CHECK(northwards->reals("latitudes").front() == -30);
}

namespace {

checkpoint::Metadata some_metadata() {
  checkpoint::Metadata metadata;
  metadata.grid = "o32";
  metadata.grid_points = 5248;
  add(metadata, "t_850", {{"param", "t"}, {"levtype", "pl"}, {"levelist", 850}});
  add(metadata, "2t", {{"param", "2t"}, {"levtype", "sfc"}});
  add(metadata, "tp", {{"param", "tp"}, {"levtype", "sfc"}});
  metadata.variables["tp"].process = checkpoint::Process::accumulation;
  return metadata;
}

long process(const std::shared_ptr<const Handle>& found) {
  return found ? found->integer("generatingProcessIdentifier").value_or(-1) : -2;
}

std::string numbered(const std::string& name, long number) {
  return make_message({{"shortName", name}, {"generatingProcessIdentifier", number}}).bytes();
}

}  // namespace

TEST_CASE("template providers are asked in order") {
  const TemporaryFolder folder;
  const checkpoint::Metadata metadata = some_metadata();
  const auto input = set_of("2t", make_message({{"shortName", "2t"}, {"generatingProcessIdentifier", 7}}));
  {
    Templates templates({}, metadata, input, {}, Json::object());
    CHECK(process(templates.find("2t")) == 7);
    CHECK(process(templates.find("t_850")) == 255);
    CHECK(templates.find("t_850")->text("typeOfLevel") == "isobaricInhPa");
    CHECK(templates.find("tp")->text("shortName") == "lsm");
  }
  {
    Templates templates({config::InputTemplates{{{"tp", "2t"}}}}, metadata, input, {}, Json::object());
    CHECK(process(templates.find("tp")) == 7);
    CHECK(process(templates.find("t_850")) == -2);
    CHECK(templates.tried("t_850").find("tried input") != std::string::npos);
  }
  write_file(folder / "file.grib", numbered("2t", 1) + numbered("tp", 2) + numbered("msl", 3));
  const auto from_file = [&](const std::string& mode, std::optional<std::vector<std::string>> names = {}) {
    config::FileTemplates file;
    file.path = folder / "file.grib";
    file.mode = mode;
    file.variables = std::move(names);
    Templates templates({file}, metadata, nullptr, {}, Json::object());
    return process(templates.find("tp"));
  };
  CHECK(from_file("first") == 1);
  CHECK(from_file("last") == 3);
  CHECK(from_file("auto") == 2);
  CHECK(from_file("first", std::vector<std::string>{"2t"}) == -2);
}

TEST_CASE("sample templates are found by rules, or by an index of rules") {
  const TemporaryFolder folder;
  const checkpoint::Metadata metadata = some_metadata();
  write_file(folder / "O32-tp.grib", numbered("tp", 4));
  write_file(folder / "any.grib", numbered("2t", 5));
  const std::vector<std::pair<Json, std::string>> rules = {
      {{{"time_processing", "accumulation"}, {"number_of_grid_points", 5248}}, folder / "{grid}-{param}.grib"},
      {{{"levtype", {"sfc", "o2d"}}, {"class", "ai"}}, folder / "any.grib"},
      {{{"levtype", "pl"}}, folder / "absent.grib"}};
  config::SampleTemplates samples;
  samples.rules = rules;
  Templates templates({samples}, metadata, nullptr, {}, Json{{"class", "ai"}});
  CHECK(process(templates.find("tp")) == 4);
  CHECK(process(templates.find("2t")) == 5);
  CHECK(templates.find("t_850") == nullptr);
  write_file(folder / "index.yaml",
             "- - {levtype: sfc, number_of_grid_points: 5248, grid: O32}\n  - " + (folder / "any.grib") + "\n");
  config::SampleTemplates index;
  index.index = folder / "index.yaml";
  Templates by_index({index}, metadata, nullptr, {}, Json::object());
  CHECK(process(by_index.find("2t")) == 5);
  write_file(folder / "index.yaml", "- nonsense\n");
  CHECK_THROWS_AS(Templates({index}, metadata, nullptr, {}, Json::object()), UserError);
}

TEST_CASE("paths are formatted as Python does it") {
  const std::vector<std::tuple<Json, std::string, std::string>> cases = {{6, "03", "006"},
                                                                         {6, "", "6"},
                                                                         {-6, "04", "-006"},
                                                                         {6, "+d", "+6"},
                                                                         {255, "x", "ff"},
                                                                         {255, "08b", "11111111"},
                                                                         {6, ">5", "    6"},
                                                                         {6, "<5", "6    "},
                                                                         {6, "^5", "  6  "},
                                                                         {6, "*^7", "***6***"},
                                                                         {"abc", "5", "abc  "},
                                                                         {"abc", ">5", "  abc"},
                                                                         {"abcdef", ".3", "abc"},
                                                                         {0.25, ".3f", "0.250"},
                                                                         {0.25, "08.3f", "0000.250"},
                                                                         {1500.0, "e", "1.500000e+03"},
                                                                         {0.5, ".0%", "50%"},
                                                                         {6, "6.1f", "   6.0"}};
  for (const auto& example : cases) {
    const std::string& format = std::get<1>(example);
    CAPTURE(format);
    CHECK(format_value(std::get<0>(example), format) == std::get<2>(example));
  }
  const std::string least = std::to_string(std::numeric_limits<long>::min());
  CHECK(format_value(std::numeric_limits<long>::min(), "d") == least);
  CHECK(format_value(std::numeric_limits<long>::min(), "x") == "-8000000000000000");
  CHECK(format_value(0.5, ".600f") == "0.5" + std::string(599, '0'));
  CHECK(format_value(1e300, ".300f").size() == 602);
  const Handle message = make_message({{"shortName", "2t"}, {"date", 20240115}, {"time", 600}, {"step", 6}});
  CHECK(render_path("{dataDate}-{time:04}-{step:03}/{shortName}.grib", message) == "20240115-0600-006/2t.grib");
  CHECK(render_path("plain.grib", message) == "plain.grib");
  CHECK(config::with_dataset("{dataset}-{dataset_name}.grib", "data") == "data-data.grib");
  CHECK_THROWS_AS(render_path("{nonsense}", message), UserError);
  CHECK_THROWS_AS(render_path("{step:zz}", message), UserError);
  CHECK_THROWS_AS(render_path("{shortName:d}", message), UserError);
}
