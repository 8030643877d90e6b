// Keys and bytes of encoded messages against what anemoi-inference 0.13 makes with ecCodes 2.50 from its own templates.
#include "worker/grib/encode.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "common/errors.h"
#include "tests/unit/io/fixture.h"
#include "worker/grib/builtin.h"
#include "worker/grib/identity.h"

using namespace tradewind;
using namespace tradewind::grib;
using namespace tradewind::test;
using std::chrono::hours;

namespace {

std::uint64_t fnv(const std::string& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 7919) % 10007) / 16;
  return values;
}

checkpoint::Variable variable(const std::string& name, Json mars,
                              checkpoint::Process process = checkpoint::Process::instantaneous,
                              std::optional<Duration> period = {}) {
  checkpoint::Variable result;
  result.name = name;
  result.mars = std::move(mars);
  result.process = process;
  if (period) result.period = {Duration::zero(), *period};
  return result;
}

const auto q_850 = variable("q_850", {{"param", "q"},
                                      {"levtype", "pl"},
                                      {"levelist", 850},
                                      {"class", "ea"},
                                      {"stream", "oper"},
                                      {"type", "an"},
                                      {"date", 20200101},
                                      {"time", 0},
                                      {"step", 0},
                                      {"expver", "0001"},
                                      {"domain", "g"}});
const auto tp = variable("tp", {{"param", "tp"}, {"levtype", "sfc"}, {"stream", "oper"}, {"type", "fc"}, {"step", 6}},
                         checkpoint::Process::accumulation, hours(6));
const auto mx2t6 = variable("mx2t6", {{"param", "mx2t6"}, {"levtype", "sfc"}}, checkpoint::Process::maximum);
const auto t2 = variable("2t", {{"param", "2t"}, {"levtype", "sfc"}});
const auto skt = variable("skt", {{"param", 235}, {"levtype", "sfc"}});

Handle builtin(const std::string& grid, bool pressure_level) {
  return std::move(*make_builtin(grid, pressure_level, std::nullopt));
}

Handle input_template() {
  for (auto& message : read_messages(golden("gt-transformer/input.grib")))
    if (message.text("shortName") == "2t") return std::move(message);
  throw std::runtime_error("no 2t in the golden input");
}

struct Case {
  Case(std::string grid, checkpoint::Variable what, long step)
      : grid(std::move(grid)), what(std::move(what)), step(step) {}
  std::string grid;  // "input": a message of the golden input
  checkpoint::Variable what;
  long step;
  config::GribOutputConfig output = {};
  std::map<std::string, Duration> start_steps = {};
  bool missing = false;

  Handle message_template() const {
    return grid == "input" ? input_template() : builtin(grid, what.mars["levtype"] == "pl");
  }
  Json keys() const {
    return grib_keys(what, message_template(), KeyRules::from(output),
                     {parse_date("2024-01-15T06:00:00"), hours(step), hours(std::max(0L, step - 6))}, start_steps);
  }
  std::uint64_t bytes() const {
    const Handle from = message_template();
    std::vector<float> values = numbers(from.value_count());
    if (missing) std::fill(values.begin() + 100, values.begin() + 200, std::numeric_limits<float>::quiet_NaN());
    return fnv(encode_field(from, keys(), values, {.allow_nans = missing}).bytes());
  }
};

}  // namespace

TEST_CASE("instantaneous fields, with builtin templates") {
  const Case q("O48", q_850, 12);
  CHECK(q.keys().dump() ==
        R"({"edition":2,"typeOfLevel":"isobaricInhPa","stepType":"instant","shortName":"q","dataType":"fc",)"
        R"("date":20240115,"time":600,"step":12,"level":850,"stream":"oper"})");
  CHECK(q.bytes() == 0x3de5c01846642e9a);
  CHECK(Case("O96", t2, 240).bytes() == 0x95807e789c45653e);
  CHECK(Case("n320", t2, 6).bytes() == 0x20002bd7d0a49db9);
  const Case by_id("O48", skt, 6);
  CHECK(by_id.keys()["paramId"] == 235);
  CHECK(by_id.bytes() == 0x59cacc8ca84bd289);
}

TEST_CASE("fields over a period") {
  const Case sum("O48", tp, 12);
  CHECK(sum.keys().dump() ==
        R"({"edition":2,"stepType":"accum","productDefinitionTemplateNumber":8,"shortName":"tp",)"
        R"("dataType":"fc","date":20240115,"time":600,"startStep":6,"endStep":12,"stream":"oper"})");
  CHECK(sum.bytes() == 0x983b4841437b7a00);
  // no period in the checkpoint: from the previous step
  CHECK(Case("O48", mx2t6, 12).bytes() == 0x3c7dee77201a475d);
  Case since_start("O48", tp, 18);
  since_start.start_steps = {{"tp", Duration::zero()}};
  CHECK(since_start.keys()["startStep"] == 0);
  CHECK(since_start.bytes() == 0x96f80386a8b124ed);
  // a period that ends at the base date begins before it
  const Case before("O48", tp, 0);
  CHECK(before.keys()["time"] == 0);
  CHECK(before.keys()["endStep"] == 6);
  CHECK(encoded_base(before.keys()) == parse_date("2024-01-15T00:00:00"));
  CHECK(before.bytes() == 0x45f7283fc0caa0c4);
}

TEST_CASE("keys of the configuration") {
  Case ai("O48", q_850, 6);
  ai.output.encoding = {{"class", "ai"}, {"stream", "oper"}, {"type", "fc"}, {"expver", "0078"}};
  CHECK(ai.keys().dump() ==
        R"({"edition":2,"typeOfLevel":"isobaricInhPa","stepType":"instant","class":"ai","stream":"oper",)"
        R"("expver":"0078","shortName":"q","dataType":"fc","date":20240115,"time":600,"step":6,"level":850})");
  CHECK(ai.bytes() == 0x3f479ccffe060a62);
  Case member("O48", tp, 12);
  member.output.encoding = {
      {"type", "pf"}, {"number", 3}, {"numberOfForecastsInEnsemble", 51}, {"stream", "enfo"}, {"class", "ai"}};
  CHECK(member.keys()["productDefinitionTemplateNumber"] == 11);
  CHECK(member.bytes() == 0x52acd4adde619c6f);
  Case eps("O48", q_850, 12);
  eps.output.encoding = {
      {"eps", 1}, {"number", 3}, {"numberOfForecastsInEnsemble", 51}, {"productDefinitionTemplateNumber", 1}};
  CHECK(eps.bytes() == 0x037f31b85ed2b32a);
  Case by_param("O48", tp, 12);
  by_param.output.grib2_keys = {{"tp", {{"shortName", "sf"}, {"typeOfGeneratingProcess", 2}}}};
  CHECK(by_param.bytes() == 0x42eb3f7e3965f769);
  Case packing("O48", q_850, 6);
  packing.output.encoding = {{"bitsPerValue", 16}, {"packingType", "grid_simple"}};
  CHECK(packing.bytes() == 0xc377e67cd0335bbb);
}

TEST_CASE("the input's messages as templates, in both editions") {
  CHECK(Case("input", t2, 6).bytes() == 0xace10b98b7dc171e);
  CHECK(Case("input", tp, 12).bytes() == 0x691301b04d071070);
  Case edition1("input", t2, 6);
  edition1.output.encoding = {{"edition", 1}, {"typeOfGeneratingProcess", 2}};
  CHECK_FALSE(edition1.keys().contains("typeOfGeneratingProcess"));
  CHECK(edition1.bytes() == 0x0fe95a4f905b7a70);
  Case sum("input", tp, 12);
  sum.output.encoding = {{"edition", 1}};
  sum.output.grib1_keys = {{"tp", {{"generatingProcessIdentifier", 99}}}};
  CHECK(sum.bytes() == 0x66c8e4150a426297);
}

TEST_CASE("missing values become a bitmap, or an error") {
  Case holes("O48", t2, 6);
  holes.missing = true;
  CHECK(holes.bytes() == 0x31f6ebeebaa7e6d7);
  const Handle from = builtin("O48", false);
  std::vector<float> values = numbers(from.value_count());
  values[5] = std::numeric_limits<float>::quiet_NaN();
  const Json keys = Case("O48", t2, 6).keys();
  CHECK_THROWS_WITH_AS(encode_field(from, keys, values, {}), doctest::Contains("missing values"), UserError);
  const auto read_back = encode_field(from, keys, values, {.allow_nans = true}).values();
  CHECK(std::isnan(read_back[5]));
  CHECK(read_back[6] == doctest::Approx(values[6]).epsilon(1e-6));
  values[5] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(encode_field(from, keys, values, {}), doctest::Contains("infinite"), UserError);
  // Beside missing values too: packed with them, all others would lose their digits.
  values[6] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(encode_field(from, keys, values, {.allow_nans = true}), doctest::Contains("infinite"),
                       UserError);
}

TEST_CASE("a value that equals what stands for missing points stays a value") {
  const Handle from = builtin("O48", false);
  const Json keys = Case("O48", t2, 6).keys();
  std::vector<float> values = numbers(from.value_count());
  values[3] = -9999;
  values[5] = std::numeric_limits<float>::quiet_NaN();
  const Handle holes = encode_field(from, keys, values, {.allow_nans = true});
  auto got = holes.values();
  CHECK(got[3] == doctest::Approx(-9999).epsilon(1e-6));
  CHECK(std::isnan(got[5]));
  values[3] = 9999;  // ecCodes' own
  values[5] = 1;
  got = encode_field(holes, keys, values, {}).values();  // a template with a bitmap
  CHECK(got[3] == doctest::Approx(9999).epsilon(1e-6));
  CHECK(got[5] == doctest::Approx(1).epsilon(1e-3));
  Json with_bitmap = keys;
  with_bitmap["bitmapPresent"] = 1;
  got = encode_field(from, with_bitmap, values, {}).values();
  CHECK(got[3] == doctest::Approx(9999).epsilon(1e-6));
}

TEST_CASE("what the message does not keep is found out") {
  const Handle from = builtin("O48", false);
  const std::vector<float> values = numbers(from.value_count());
  Json keys = Case("O48", t2, 6).keys();
  keys["level"] = 17;  // 2t is the temperature at 2 m by definition
  CHECK_THROWS_WITH_AS(encode_field(from, keys, values, {}), doctest::Contains("shortName: asked for 2t, got t"),
                       UserError);
  keys.erase("level");
  keys["noSuchKey"] = 1;
  CHECK_THROWS_WITH_AS(encode_field(from, keys, values, {}), doctest::Contains("noSuchKey"), UserError);
  CHECK_THROWS_WITH_AS(encode_field(from, Case("O48", t2, 6).keys(), numbers(100), {}),
                       doctest::Contains("10944 grid points, the field 100"), UserError);
}

TEST_CASE("half hours do not fit into GRIB's steps") {
  CHECK_THROWS_WITH_AS(grib_keys(t2, builtin("O48", false), {}, {Time{}, std::chrono::minutes(90), {}}, {}),
                       doctest::Contains("whole hours"), UserError);
}
