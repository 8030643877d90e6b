// Keys that a message may lack, when two files are compared: absent means the default, and nothing else.
#include <doctest/doctest.h>

#include <sstream>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/compare/compare.h"
#include "worker/compare/matching.h"

using namespace tradewind;
using namespace tradewind::compare;
using namespace tradewind::test;
using Json = nlohmann::ordered_json;

namespace {

using Keys = std::vector<std::pair<std::string, std::optional<std::string>>>;

MessageKeys with_keys(Keys keys) {
  MessageKeys message;
  message.keys = std::move(keys);
  return message;
}

grib::Handle small(long edition, const grib::Json& keys) {
  auto sample = grib::Handle::from_sample(std::string("regular_ll_sfc_grib").append(std::to_string(edition)));
  for (const auto& [key, value] : keys.items()) sample->set_together({{key, value}});
  sample->set_values(std::vector<double>(496, 280));
  return std::move(*sample);
}

struct Compared {
  std::size_t fields = 0;
  std::string faults;
};

Compared compared(const std::string& got, const std::string& wanted) {
  const TemporaryFolder folder;
  write_file(folder / "a", got);
  write_file(folder / "b", wanted);
  std::ostringstream out;
  const int code = run_compare({.got = folder / "a", .wanted = folder / "b", .json = true}, out);
  const Json report = Json::parse(out.str());
  CHECK(code == (report["faults"].empty() ? 0 : 1));
  return {report["fields"].size(), report["faults"].empty() ? "" : report["faults"].dump()};
}

}  // namespace

TEST_CASE("a key that one message or both lack counts as its default, in either direction") {
  const std::pair<std::string, std::string> defaults[] = {{"number", "0"},        {"level", "0"},
                                                          {"stepRange", "0"},     {"stepType", "instant"},
                                                          {"bitmapPresent", "0"}, {"localUsePresent", "0"}};
  for (const auto& [key, value] : defaults) {
    CAPTURE(key);
    const MessageKeys absent = with_keys({{key, std::nullopt}}), present = with_keys({{key, value}}),
                      other = with_keys({{key, "7"}});
    CHECK(default_of(key) == value);
    CHECK(differing_keys(absent, absent).empty());
    CHECK(differing_keys(present, absent).empty());
    CHECK(differing_keys(absent, present).empty());
    CHECK(differing_keys(other, absent) == " " + key + "=7 (want " + value + ")");
    CHECK(differing_keys(absent, other) == " " + key + "=" + value + " (want 7)");
    CHECK(differing_keys(other, present) == " " + key + "=7 (want " + value + ")");
  }
  for (const std::string key : {"paramId", "marsClass", "typeOfLevel", "gridType"}) {  // nothing would mean the same
    CAPTURE(key);
    const MessageKeys absent = with_keys({{key, std::nullopt}}), present = with_keys({{key, "0"}});
    CHECK(differing_keys(absent, absent).empty());
    CHECK(differing_keys(present, absent) == " " + key + "=0 (want none)");
    CHECK(differing_keys(absent, present) == " " + key + "=none (want 0)");
  }
}

TEST_CASE("a key that one edition lacks is no difference beside the edition, another value is") {
  const auto edition = [](const char* number, Keys more) {
    Keys keys = {{"edition", number}};
    keys.insert(keys.end(), more.begin(), more.end());
    return with_keys(keys);
  };
  const std::string named = " edition=1 (want 2)";
  CHECK(differing_keys(edition("1", {{"marsClass", "od"}}), edition("2", {{"marsClass", std::nullopt}})) == named);
  CHECK(differing_keys(edition("1", {{"number", std::nullopt}}), edition("2", {{"number", "4"}})) == named);
  CHECK(differing_keys(edition("1", {{"level", "0"}}), edition("2", {{"level", "2"}})) == named);
  CHECK(differing_keys(edition("1", {{"number", "3"}}), edition("2", {{"number", "4"}})) ==
        named + " number=3 (want 4)");
  CHECK(differing_keys(edition("2", {{"level", "10"}}), edition("2", {{"level", "2"}})) == " level=10 (want 2)");
}

TEST_CASE("member 0 is what no member is; another member is another field") {
  const grib::Json plain = {{"shortName", "msl"}, {"date", 20240115}, {"time", 0}, {"step", 6}};
  const auto member = [&](long number) {
    grib::Json keys = {{"productDefinitionTemplateNumber", 1}};
    keys.update(plain);
    keys["number"] = number;
    return small(2, keys).bytes();
  };
  const std::string none = small(2, plain).bytes(), zero = member(0), five = member(5);
  REQUIRE_FALSE(grib::Handle::from_bytes(none, "").text("number"));
  REQUIRE(grib::Handle::from_bytes(five, "").text("number") == "5");
  const std::string template_alone = R"-(["keys of msl step 6h: productDefinitionTemplateNumber=)-";
  CHECK(compared(none, none).faults.empty());
  CHECK(compared(zero, zero).faults.empty());
  CHECK(compared(zero, none).faults == template_alone + "1 (want 0)\"]");
  CHECK(compared(none, zero).faults == template_alone + "0 (want 1)\"]");
  for (const auto& [got, wanted] : {std::pair(five, none), std::pair(none, five), std::pair(five, zero)}) {
    const Compared result = compared(got, wanted);
    CHECK(result.fields == 0);
    CHECK(has(result.faults, "missing: msl step 6h"));
    CHECK(has(result.faults, "extra: msl step 6h"));
  }
  const Compared both = compared(none + five, five + zero);  // each finds its own, in another order
  CHECK(both.fields == 2);
  CHECK(has(both.faults, "order"));
  CHECK_FALSE(has(both.faults, "number"));
}

TEST_CASE("members of two editions find each other, and a forecast without members its control") {
  const auto one = [](std::optional<long> number) {
    grib::Json keys = {{"shortName", "2t"}, {"date", 20240115}, {"time", 0}, {"step", 6}};
    if (!number) keys["deleteLocalDefinition"] = 1;
    if (number) keys.update({{"stream", "enfo"}, {"type", "pf"}, {"number", *number}});
    return small(1, keys).bytes();
  };
  const auto two = [](std::optional<long> number) {
    grib::Json keys = {{"shortName", "2t"}, {"date", 20240115}, {"time", 0}, {"step", 6}};
    if (number)
      keys = {{"productDefinitionTemplateNumber", 1},
              {"shortName", "2t"},
              {"date", 20240115},
              {"time", 0},
              {"step", 6},
              {"number", *number}};
    return small(2, keys).bytes();
  };
  REQUIRE(grib::Handle::from_bytes(one(3), "").text("number") == "3");
  REQUIRE_FALSE(grib::Handle::from_bytes(one({}), "").text("number"));
  for (const bool turned : {false, true}) {
    const auto faults = [&](const std::string& first, const std::string& second, std::size_t fields) {
      const Compared result = turned ? compared(second, first) : compared(first, second);
      CHECK(result.fields == fields);
      return result.faults;
    };
    for (const auto& [first, second] : {std::pair(one({}), two({})), std::pair(one({}), two(0)),
                                        std::pair(one(0), two({})), std::pair(one(0), two(0))}) {
      const std::string named = faults(first, second, 1);
      CHECK(has(named, "edition="));
      for (const char* other : {"number", "level", "missing", "extra", "mars"}) CHECK_FALSE(has(named, other));
    }
    const std::string members = faults(one(1) + one(2) + one(3), two(1) + two(2) + two(3), 3);
    CHECK_FALSE(has(members, "number"));
    CHECK_FALSE(has(members, "missing"));
    CHECK(has(faults(one(1) + one(4), two(1) + two(3), 1), "missing: 2t step 6h"));
    CHECK(has(faults(one(4), two({}), 0), "missing: 2t step 6h"));
  }
}

TEST_CASE("levels: the same one written otherwise is the same, another is another field") {
  const auto pressure = [](long factor, long value) {  // in Pa: value / 10^factor
    return small(2, {{"shortName", "t"},
                     {"typeOfFirstFixedSurface", 100},
                     {"scaleFactorOfFirstFixedSurface", factor},
                     {"scaledValueOfFirstFixedSurface", value}})
        .bytes();
  };
  CHECK(compared(pressure(0, 50000), pressure(-2, 500)).faults.empty());
  CHECK(compared(pressure(0, 50000), pressure(0, 50000)).fields == 1);
  const Compared other = compared(pressure(0, 50000), pressure(0, 85000));
  CHECK(other.fields == 0);
  CHECK(has(other.faults, "missing: t_850"));
  CHECK(has(other.faults, "extra: t_500"));
  const std::string zero = small(2, {{"shortName", "sp"},
                                     {"scaleFactorOfFirstFixedSurface", 0},
                                     {"scaledValueOfFirstFixedSurface", 0}})
                               .bytes(),
                    unset = small(2, {{"shortName", "sp"},
                                      {"scaleFactorOfFirstFixedSurface", 255},
                                      {"scaledValueOfFirstFixedSurface", 4294967295}})
                                .bytes();
  REQUIRE(zero != unset);
  CHECK(compared(unset, zero).faults.empty());
  CHECK(compared(zero, unset).fields == 1);
}

TEST_CASE("fields without level and step are compared, too") {
  const auto seen = [](const char* date) {  // by a satellite
    return small(2, {{"productDefinitionTemplateNumber", 31}, {"dataDate", date}, {"dataTime", 0}}).bytes();
  };
  const grib::Handle message = grib::Handle::from_bytes(seen("20240115"), "");
  for (const char* key : {"level", "typeOfLevel", "stepRange", "endStep", "number"}) REQUIRE_FALSE(message.text(key));
  const Compared same = compared(seen("20240115"), seen("20240115"));
  CHECK(same.fields == 1);
  CHECK(same.faults.empty());
  CHECK(has(compared(seen("20240115"), seen("20240116")).faults, "missing: "));
}

TEST_CASE("what a field is over time: instantaneous unless it says otherwise") {
  const grib::Json keys = {{"shortName", "2t"}, {"date", 20240115}, {"time", 0}};
  grib::Json at = keys, mean = {{"productDefinitionTemplateNumber", 8}};
  at["step"] = 6;
  mean.update(keys);
  mean.update({{"stepType", "avg"}, {"startStep", 0}, {"endStep", 6}});
  const std::string instant = small(2, at).bytes(), average = small(2, mean).bytes();
  REQUIRE(grib::Handle::from_bytes(average, "").text("stepType") == "avg");
  CHECK(compared(average, average).faults.empty());
  CHECK(compared(instant, instant).faults.empty());
  for (const auto& [got, wanted] : {std::pair(instant, average), std::pair(average, instant)})
    CHECK_FALSE(compared(got, wanted).faults.empty());
}
