// Expected values: what OmegaConf gives for the same document.
#include "common/config/interpolate.h"

#include <doctest/doctest.h>

#include "common/config/nodes/yaml_load.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

Json resolved(const std::string& yaml) {
  std::vector<std::string> warnings;
  const Environment environment({{"HOME", "/users/ann"}, {"EMPTY", ""}, {"SIZE", "0x10"}});
  Findings findings;
  const Node root = interpolated(load_yaml(yaml, "t.yaml", {}, warnings), environment, findings);
  findings.throw_refusals();
  return root.to_json();
}

}  // namespace

TEST_CASE("interpolations take values, whole or inside a text") {
  const std::pair<const char*, const char*> table[] = {
      {"{a: '${b}', b: foo}", R"({"a":"foo","b":"foo"})"},
      {"{a: 'x${b}y', b: 1h}", R"({"a":"x1hy","b":"1h"})"},
      {"{a: '${b}', b: 3}", R"({"a":3,"b":3})"},
      {"{a: 'v${b}', b: yes}", R"({"a":"vTrue","b":true})"},
      {"{a: 'v${b}', b: null}", R"({"a":"vNone","b":null})"},
      {"{a: '${b}x', b: 1.50}", R"({"a":"1.5x","b":1.5})"},
      {"{a: '${b}x', b: 1e5}", R"({"a":"100000.0x","b":100000.0})"},
      {"{a: {b: 1, c: '${.b}', d: '${..e}', f: '${a.b}'}, e: 7}", R"({"a":{"b":1,"c":1,"d":7,"f":1},"e":7})"},
      {"{a: [1, 2, '${.0}'], b: '${a[1]}', c: '${a.1}', d: '${.a}'}", R"({"a":[1,2,1],"b":2,"c":2,"d":[1,2,1]})"},
      {"{b: [1, '${..c}', {d: '${...c}'}], c: 3}", R"({"b":[1,3,{"d":3}],"c":3})"},
      {"{j: '${.k}', k: '${.l}', l: 3, m: '${.n}', n: {o: '${..l}', p: '${.o}'}}",
       R"({"j":3,"k":3,"l":3,"m":{"o":3,"p":3},"n":{"o":3,"p":3}})"},
      {"{a: '${l[0][1]}', l: [[1, 2]], d-e: 5, f: '${.d-e}', g: '$${.d-e}'}",
       R"({"a":2,"l":[[1,2]],"d-e":5,"f":5,"g":"$5"})"},
      {"{a: '${b.c}', b: '${d}', d: {c: 4}}", R"({"a":4,"b":{"c":4},"d":{"c":4}})"},
      {"{a: '${ .b }', b: 1}", R"({"a":1,"b":1})"},
      {"{a: '${x_${b}}', b: 1, x_1: z}", R"({"a":"z","b":1,"x_1":"z"})"},
      {R"({a: '\${foo}'})", R"({"a":"${foo}"})"},
      {R"({a: 'a\\${b}', b: d})", R"({"a":"a\\d","b":"d"})"},
      {R"({a: '\\\\${b}', b: d})", R"({"a":"\\\\d","b":"d"})"},
      {R"({a: '\\\${b}', b: d})", R"({"a":"\\${b}","b":"d"})"},
      {R"({a: '\${b}-${b}', b: 1})", R"({"a":"${b}-1","b":1})"},
      {"{a: '$foo {bar} {date:04}'}", R"({"a":"$foo {bar} {date:04}"})"},
      {"{a: '${oc.env:HOME}/x'}", R"({"a":"/users/ann/x"})"},
      {"{a: '${oc.env: HOME }'}", R"({"a":"/users/ann"})"},
      {"{a: '${oc.env:EMPTY}'}", R"({"a":""})"},
      {"{a: '${oc.env:NONE,dflt}'}", R"({"a":"dflt"})"},
      {"{a: '${oc.env:NONE, a b }'}", R"({"a":"a b"})"},
      {"{a: '${oc.env:NONE,null}'}", R"({"a":null})"},
      {"{a: '${oc.env:NONE,}'}", R"({"a":""})"},
      {"{a: '${oc.env:NONE,12}'}", R"({"a":"12"})"},
      {"{a: '${oc.env:NONE,1.5}'}", R"({"a":"1.5"})"},
      {"{a: '${oc.env:NONE,true}'}", R"({"a":"True"})"},
      {"{a: '${oc.env:NONE,\"q,r\"}'}", R"({"a":"q,r"})"},
      {"{a: '${oc.env:NONE,a/b-c:d}'}", R"({"a":"a/b-c:d"})"},
      {"{a: '${oc.env:NONE,${.e}}', e: 1.5}", R"({"a":"1.5","e":1.5})"},
      {"{a: '${oc.env:NONE,a b-${.b}-c}', b: 4}", R"({"a":"a b-4-c","b":4})"},
      {"{a: '${oc.env:${b}}', b: HOME}", R"({"a":"/users/ann","b":"HOME"})"},
      {"{a: '${oc.decode:${oc.env:SIZE}}'}", R"({"a":16})"},
      {"{a: '${oc.decode:\"5\"}'}", R"({"a":5})"},
  };
  for (const auto& [yaml, expected] : table) {
    const std::string shown(yaml);
    CAPTURE(shown);
    CHECK(resolved(yaml).dump() == expected);
  }
}

TEST_CASE("bad interpolations are refused where they stand") {
  const std::pair<const char*, const char*> table[] = {
      {"name: '${nope}'", "interpolation key 'nope' is not there in '${nope}'"},
      {"name: '${l[5]}'\nl: [1]", "interpolation key 'l.5' is not there in '${l[5]}'"},
      {"name: '${b.c}'\nb: 4", "interpolation key 'b.c' is not there in '${b.c}'"},
      {"name: '${....b}'\nb: 4", "interpolation key '....b' is not there in '${....b}'"},
      {"name: '${oc.env:NONE}'", "the environment variable NONE is not set in '${oc.env:NONE}'"},
      {"name: '${oc.env:A,b,c}'", "oc.env takes a name and a default in '${oc.env:A,b,c}'"},
      {"name: '${nope:1}'", "interpolation 'nope:' is not supported in '${nope:1}'"},
      {"name: '${foo'\nfoo: 1", "the `}` of an interpolation is missing in '${foo'"},
      {"name: '${}'", "a key is missing in '${}'"},
      {"name: '${oc.env:\"A}'", "a quote is not closed in '${oc.env:\"A}'"},
      {"name: 'x${l}'\nl: [1]", "a list or map cannot be part of a text in 'x${l}'"},
  };
  for (const auto& [yaml, message] : table) {
    const std::string shown(yaml);
    CAPTURE(shown);
    const UserError error = error_of([&, yaml = yaml] { resolved(yaml); });
    CHECK(error.message() == message);
    CHECK(error.where() == "t.yaml:1:7");
    CHECK(!error.remedy().empty());
  }
}

TEST_CASE("circles of interpolations are found") {
  for (const char* yaml : {"{a: '${a}'}", "{a: '${b}', b: '${a}'}", "{a: {b: '${a}'}}", "{a: 'x${b}', b: ['${a}']}",
                           "{a: '${b.c}', b: {c: '${a}'}}"}) {
    const std::string shown(yaml);
    CAPTURE(shown);
    CHECK(refused([&] { resolved(yaml); }).at(0).what == "interpolations refer to each other in a circle");
  }
}

TEST_CASE("interpolations that grow without bound end in an error") {
  std::string yaml = "a0: 0123456789\n";
  for (int i = 1; i < 40; ++i) {
    std::string before("${a");
    before.append(std::to_string(i - 1)).append("}");
    yaml.append("a").append(std::to_string(i)).append(": '").append(before).append(before).append("'\n");
  }
  CHECK_THROWS_AS(resolved(yaml), UserError);
  std::string deep("a: '");
  for (int i = 0; i < 100000; ++i) deep.append("${");
  CHECK_THROWS_AS(resolved(deep.append("'")), UserError);
}

TEST_CASE("a value from an interpolation is placed where the interpolation stands") {
  const ConfigCase test;
  const ConfigDocument document = test.document("description: 5\nname: ${description}\n");
  CHECK(document.root.find("name")->where.text() == test.at(2, 7));
}

}  // namespace tradewind::config
