// Expected values: what the reference (PyYAML's safe loader, then OmegaConf) makes of the same text.
#include "common/config/nodes/yaml_load.h"

#include <doctest/doctest.h>

#include <cmath>

#include "common/config/nodes/yaml_scalar.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("plain scalars have their YAML 1.1 meaning") {
  const std::pair<const char*, Json> table[] = {
      {"1e5", 100000.0},
      {"1.5e3", 1500.0},
      {".5", 0.5},
      {"0x1F", 31},
      {"0b11", 3},
      {"1_000", 1000},
      {"~", nullptr},
      {"", nullptr},
      {"Null", nullptr},
      {"NULL", nullptr},
      {"nULL", "nULL"},
      {"1:30", 90},
      {"1:30.5", 90.5},
      {"1:2:3.5", 3723.5},
      {"12:00", 720},
      {"12:5", 725},
      {"5:00:00", 18000},
      {"190:20:30", 685230},
      {"+1:30", 90},
      {"-1:30", -90},
      {"0:30", "0:30"},
      {"1:60", "1:60"},
      {"1:6:7", 3967},
      {"1:123", "1:123"},
      {"1:", "1:"},
      {"1:30:", "1:30:"},
      {"0:30.5", 30.5},
      {"-", "-"},
      {"+", "+"},
      {"+0b1", 1},
      {"-.inf5", "-.inf5"},
      {"1.5e", "1.5e"},
      {".5e+1", 5.0},
      {".5e1", ".5e1"},
      {"+1_0.5_0", 10.5},
      {"0o17", "0o17"},
      {"0600", 384},
      {"010", 8},
      {"-010", -8},
      {"0777", 511},
      {"0_7", 7},
      {"00", 0},
      {"08", "08"},
      {"09", "09"},
      {"0", 0},
      {"-0", 0},
      {"+5", 5},
      {"-0x10", -16},
      {"0x_F", 15},
      {"0x", "0x"},
      {"0b", "0b"},
      {"0b12", "0b12"},
      {"1__0", 10},
      {"1_", 1},
      {"5.", 5.0},
      {"0.0", 0.0},
      {"1e+5", 100000.0},
      {"1.e+5", 100000.0},
      {"5e-2", 0.05},
      {"-5e3", -5000.0},
      {"+5E3", 5000.0},
      {"1.5E+03", 1500.0},
      {"1_000.5", 1000.5},
      {"-.5", "-.5"},
      {"+.5", "+.5"},
      {"._5", "._5"},
      {"1e1_0", "1e1_0"},
      {"1e", "1e"},
      {".e5", ".e5"},
      {"-", "-"},
      {"yes", true},
      {"On", true},
      {"TRUE", true},
      {"oN", "oN"},
      {"tRUE", "tRUE"},
      {"y", "y"},
      {"n", "n"},
      {"no", false},
      {"Off", false},
      {"6h", "6h"},
      {"16-mixed", "16-mixed"},
      {"2020-01-01", "2020-01-01"},
      {"20200101", 20200101},
      {"123456789012345678", 123456789012345678},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    const Json value = resolve_plain(text);
    CHECK(value.type_name() == std::string(expected.type_name()));
    CHECK(value == expected);
    CHECK(value.is_number_integer() == expected.is_number_integer());
  }
  CHECK(std::isnan(resolve_plain(".nan").get<double>()));
  CHECK(resolve_plain(".inf").get<double>() == INFINITY);
  CHECK(resolve_plain("-.INF").get<double>() == -INFINITY);
}

TEST_CASE("timestamps take the form that the reference's round trip gives them") {
  CHECK(canonical_timestamp("2020-01-01 6:00:00") == "2020-01-01 06:00:00");
  CHECK(canonical_timestamp("2020-01-01T06:00:00Z") == "2020-01-01 06:00:00+00:00");
  CHECK(canonical_timestamp("2020-01-01t06:00:00.5 +1:30") == "2020-01-01 06:00:00.500000+01:30");
  CHECK(canonical_timestamp("2020-1-1T6:00:00") == "2020-01-01 06:00:00");
  CHECK(canonical_timestamp("2001-12-14t21:59:43.10-05:00") == "2001-12-14 21:59:43.100000-05:00");
  CHECK(canonical_timestamp("2020-01-01  06:00:00.25Z") == "2020-01-01 06:00:00.250000+00:00");
  CHECK(canonical_timestamp("2020-01-01 06:00:00 -5") == "2020-01-01 06:00:00-05:00");
  for (const char* other : {"2020-1-1", "2020-01-01T6:00", "2020-01-01T06:00:00Zx", "2020-01-01T06:00:00+1:3",
                            "2020-01-01T06:00:00 x", "202-01-01 06:00:00", "2020-01-01 06:0:00", ""}) {
    CHECK(canonical_timestamp(other) == other);
  }
}

TEST_CASE("quotes, block texts and standard tags") {
  std::vector<std::string> warnings;
  const Node node =
      load_yaml("a: '5'\nb: \"yes\"\nc: !!str 5\nd: !!int 0x10\ne: !!float 5\nf: |\n  x\n  y\ng: >-\n  x\n  y\n",
                "t.yaml", {}, warnings);
  CHECK(node.to_json().dump() == R"({"a":"5","b":"yes","c":"5","d":16,"e":5.0,"f":"x\ny\n","g":"x y"})");
  CHECK(warnings.empty());
}

TEST_CASE("every value knows its line and column") {
  std::vector<std::string> warnings;
  const Node node = load_yaml("a: 1\nb:\n  - x\n  - {c: yes, d: ~}\ne:\n", "t.yaml", {}, warnings);
  CHECK(node.find("a")->where.text() == "t.yaml:1:4");
  CHECK(node.entry("b")->where.text() == "t.yaml:2:1");
  CHECK(node.find("b")->items[0].where.text() == "t.yaml:3:5");
  CHECK(node.find("b")->items[1].entry("d")->where.text() == "t.yaml:4:14");
  CHECK(node.find("b")->items[1].find("d")->where.text() == "t.yaml:4:17");
  CHECK(node.find("e")->is_null());
}

TEST_CASE("merge keys and aliases") {
  std::vector<std::string> warnings;
  const Node node = load_yaml(
      "base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 3}\nboth: {<<: [*b, *m], z: 9}\none: {<<: *b, x: 5}\nquoted: {'<<': "
      "1}\n",
      "t.yaml", {}, warnings);
  CHECK(node.find("both")->to_json().dump() == R"({"y":1,"z":9,"x":1})");
  CHECK(node.find("one")->to_json().dump() == R"({"x":5,"y":1})");
  CHECK(node.find("quoted")->to_json().dump() == R"({"<<":1})");
}

TEST_CASE("of duplicate keys the last one counts, with a warning; in defaults they are refused") {
  std::vector<std::string> warnings;
  const Node node = load_yaml("a: 1\nb: 2\na: 3\n", "t.yaml", {}, warnings);
  CHECK(node.to_json().dump() == R"({"a":3,"b":2})");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "t.yaml:3:1: `a` is given twice, first at t.yaml:1:1; this one counts");
  const UserError error =
      error_of([&] { load_yaml("a: 1\nb: 2\na: 3\n", "d.yaml", {.refuse_duplicates = true}, warnings); });
  CHECK(error.where() == "d.yaml:3:1");
}

TEST_CASE("what is not one plain document is refused where it is") {
  const std::pair<const char*, const char*> table[] = {
      {"a: [1, 2\nb: 3\n", "t.yaml:2:2"},
      {"\ta: 1\n", "t.yaml:1:3"},
      {"a: !include b.yaml\n", "t.yaml:1:4"},
      {"a: 1\n---\nb: 2\n", "t.yaml:3:1"},
      {"a: {? [x] : 1}\n", "t.yaml:1:7"},
      {"a: 1\nb: {<<: 5}\n", "t.yaml:2:9"},
      {"a: 1\nb: 123456789012345678901234567890\n", "t.yaml:2:4"},
      {"a: *nope\n", "t.yaml:1:4"},
  };
  for (const auto& [text, where] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    std::vector<std::string> warnings;
    const UserError error = error_of([&, text = text] { load_yaml(text, "t.yaml", {}, warnings); });
    CHECK(error.where() == where);
    CHECK(!error.remedy().empty());
  }
}

TEST_CASE("aliases that grow without bound end in an error, soon") {
  std::vector<std::string> warnings;
  CHECK_THROWS_AS(load_yaml("a: &a {x: *a}\n", "t.yaml", {}, warnings), UserError);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string number = std::to_string(i), before = std::to_string(i - 1);
    laughs.append("a").append(number).append(": &a").append(number).append(" [");
    for (int j = 0; j < 9; ++j) laughs.append("*a").append(before).append(", ");
    laughs.append("x]\n");
  }
  CHECK_THROWS_AS(load_yaml(laughs, "t.yaml", {}, warnings), UserError);
  CHECK_THROWS_AS(load_yaml(std::string(100000, '['), "t.yaml", {}, warnings), UserError);
}

}  // namespace tradewind::config
