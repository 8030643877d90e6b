// Expected values: what the reference makes of the same defaults, configuration and overrides, but where said.
#include "common/config/merge.h"

#include <doctest/doctest.h>

#include "common/config/nodes/yaml_load.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

const char* const kBase = "l: [1, {c: 2}, 3]\nd: {'0': a, x: y}\ns: text\nn: null\n";

Node parsed(const std::string& yaml) {
  std::vector<std::string> warnings;
  return load_yaml(yaml, "base.yaml", {}, warnings);
}

void override_with(Node& root, const std::string& text) {
  Findings findings;
  apply_override(root, text, findings);
}

}  // namespace

TEST_CASE("overrides set, add and append") {
  const std::pair<const char*, const char*> table[] = {
      {"l[0]=9", R"({"l":[9,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l.0=9", R"({"l":[9,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l.00=5", R"({"l":[5,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l.3=9", R"({"l":[1,{"c":2},3,9],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l[3].q=9", R"({"l":[1,{"c":2},3,{"q":9}],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l[1].c=5", R"({"l":[1,{"c":5},3],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"l.1.e=5", R"({"l":[1,{"c":2,"e":5},3],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"d.0=5", R"({"l":[1,{"c":2},3],"d":{"0":5,"x":"y"},"s":"text","n":null})"},
      {"d.1=5", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y","1":5},"s":"text","n":null})"},
      {"[d]=1", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null,"[d":1})"},
      {"new.x.y=1", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null,"new":{"x":{"y":1}}})"},
      {"new[0]=1", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":null,"new":{"0":1}})"},
      {"d={}", R"({"l":[1,{"c":2},3],"d":{},"s":"text","n":null})"},
      {"l=[]", R"({"l":[],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"s=", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":null,"n":null})"},
      {"s=a=b", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"a=b","n":null})"},
      {"s= a # c", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"a","n":null})"},
      {"s=a,b", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"a,b","n":null})"},
      {"s='5'", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"5","n":null})"},
      {"s=12:00", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":720,"n":null})"},
      {"s=1e2", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":100.0,"n":null})"},
      {"s=0600", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":384,"n":null})"},
      {"s=2020-01-01T06:00:00Z", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"2020-01-01T06:00:00Z","n":null})"},
      // The reference keeps only the first item of a map or list given as value, and refuses to put one over a scalar.
      {"d={x: 1, z: 2}", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":1,"z":2},"s":"text","n":null})"},
      {"l=[7]", R"({"l":[7],"d":{"0":"a","x":"y"},"s":"text","n":null})"},
      {"s={t: 5}", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":{"t":5},"n":null})"},
      {"n.t=5", R"({"l":[1,{"c":2},3],"d":{"0":"a","x":"y"},"s":"text","n":{"t":5}})"},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    Node root = parsed(kBase);
    override_with(root, text);
    CHECK(root.to_json().dump() == expected);
  }
}

TEST_CASE("overrides that fit nowhere are refused by their text") {
  const std::pair<const char*, const char*> table[] = {
      {"l[4]=9", "index 4 is out of range for `l`, a list of 3"},
      {"l.x=9", "`l` is a list, `x` is no index of it"},
      {"l[-1]=9", "`l` is a list, `-1` is no index of it"},
      {"s.t=5", "`s` is the text 'text' (base.yaml:3:4), nothing can be set inside it"},
      {"s", "this is not key=value"},
      {"=5", "this is not key=value"},
      {"d..x=5", "a part of the key is empty"},
  };
  for (const auto& [text, message] : table) {
    const std::string shown(text);
    CAPTURE(shown);
    Node root = parsed(kBase);
    const UserError error = error_of([&, text = text] { override_with(root, text); });
    CHECK(error.message() == message);
    CHECK(error.where() == "override '" + std::string(text) + "'");
    CHECK(!error.remedy().empty());
  }
  Node root = parsed(kBase);
  CHECK(error_of([&] { override_with(root, "s.t.u=5"); }).remedy() == "give it whole: s={t: {u: 5}}");
  CHECK(error_of([&] { override_with(root, "s=[a"); }).where() == "override 's=[a'");
}

TEST_CASE("the configuration goes over its defaults") {
  const std::tuple<const char*, const char*, const char*> table[] = {
      {"{a: 1, b: {c: 1}}", "{b: {d: 2}}", R"({"a":1,"b":{"c":1,"d":2}})"},
      {"{a: [1, 2, 3]}", "{a: [4]}", R"({"a":[4]})"},
      {"{a: {b: 1}}", "{a: 5}", R"({"a":5})"},
      {"{a: {b: 1}}", "{a: null}", R"({"a":null})"},
      {"{a: 5}", "{a: {b: 1}}", R"({"a":{"b":1}})"},
      {"{a: {b: 1}}", "{a: {}}", R"({"a":{"b":1}})"},
  };
  for (const auto& [base, over, expected] : table) {
    const std::string shown = std::string(base) + " under " + over;
    CAPTURE(shown);
    Node root = parsed(base);
    merge_over(root, parsed(over));
    CHECK(root.to_json().dump() == expected);
  }
  for (const auto& [base, over] : {std::pair("{a: [1]}", "{a: {b: 1}}"), std::pair("{a: {b: 1}}", "{a: [1]}")}) {
    Node root = parsed(base);
    CHECK(error_of([&, over = over] { merge_over(root, parsed(over)); }).where() == "base.yaml:1:5");
  }
}

TEST_CASE("defaults, configuration and overrides come together in this order") {
  const ConfigCase test;
  const std::string first = test.write("first.yaml", "name: one\ndescription: one\nlead_time: 1e1\n");
  const std::string second = test.write("second.yaml", "description: two\nseed: 010\n");
  const ConfigDocument document = test.document("name: three\n", {"verbosity=2", "verbosity=3"}, {first, second});
  CHECK(plain_json(document).dump() ==
        R"({"name":"three","description":"two","lead_time":10.0,"seed":8,"verbosity":3})");
  CHECK(document.root.find("description")->where.text() == test.at(1, 14, "second.yaml"));
  CHECK(document.root.find("name")->where.text() == test.at(1, 7));
  CHECK(document.root.find("verbosity")->where.text() == "override 'verbosity=3'");
}

TEST_CASE("defaults refuse what the reference refuses") {
  const ConfigCase test;
  const std::string twice = test.write("twice.yaml", "name: x\nname: y\n");
  CHECK(error_of([&] { test.document("", {}, {twice}); }).where() == test.at(2, 1, "twice.yaml"));
  const std::string list = test.write("list.yaml", "- a\n");
  CHECK(error_of([&] { test.document("", {}, {list}); }).where() == test.at(1, 1, "list.yaml"));
  CHECK(error_of([&] { test.document("", {}, {test.path("none.yaml")}); }).where() == test.path("none.yaml"));
  CHECK(plain_json(test.document("name: a\n", {}, {test.write("empty.yaml", "")})).dump() == R"({"name":"a"})");
}

TEST_CASE("without a file, the positional argument is one more override") {
  const ConfigDocument document = merge_config({"checkpoint=a.ckpt", {}, {"input.grib=b.grib"}}, Environment(), Time());
  CHECK(plain_json(document).dump() == R"({"input":{"grib":"b.grib"},"checkpoint":"a.ckpt"})");
  CHECK(document.name == "the command line");
}

TEST_CASE("a configuration that is not there, a folder, or not a map") {
  const ConfigCase test;
  CHECK(error_of([&] { merge_config({test.path("no.yaml"), {}, {}}, {}, Time()); }).where() == test.path("no.yaml"));
  CHECK(error_of([&] {
          merge_config({test.path("."), {}, {}}, {}, Time());
        }).message() == "this is a folder, a YAML file is expected");
  CHECK(error_of([&] { test.document("just text\n"); }).where() == test.at(1, 1));
}

TEST_CASE("a file is a file, whatever its name") {
  const ConfigCase test;
  const std::string text = "checkpoint: a.ckpt\n";
  std::filesystem::create_directories(test.path("exp=5"));
  for (const char* name : {"exp=5/config.yaml", "a=b.yaml", "=.yaml"}) {
    const std::string path = test.write(name, text);
    CHECK_FALSE(is_override(path));
    CHECK(merge_config({path, {}, {}}, Environment(), Time()).name == path);
    CHECK(plain_json(merge_config({"name=x", {path}, {}}, Environment(), Time()))["checkpoint"] == "a.ckpt");
  }
  CHECK(is_override("checkpoint=a.ckpt"));
  CHECK(is_override("input.grib=/data/a.grib"));
  // A slash before `=`: a path, though there is no such file.
  const UserError missing = error_of([&] { merge_config({"./exp=6/config.yaml", {}, {}}, Environment(), Time()); });
  CHECK(missing.message() == "there is no such file");
  CHECK(missing.where() == "./exp=6/config.yaml");
  // The file and the override the wrong way round.
  const std::string config = test.write("config.yaml", text);
  CHECK(error_of([&] {
          merge_config({"lead_time=6h", {}, {config}}, Environment(), Time());
        }).remedy() == "the config stands before the overrides: write it first");
}

TEST_CASE("the path of a file that is there is taken as it is written") {
  const ConfigCase test;
  for (const char* name : {"run #1", "{a}", "[b]", "a: b", "'quoted'", "%x", "x=y", "- a"}) {
    const std::string path = test.write(name, "");
    CAPTURE(path);
    Findings findings;
    Node root = Node::map({});
    apply_override(root, "input.grib=" + path, findings);
    CHECK(root.find("input")->find("grib")->text() == path);
    CHECK(findings.warnings().empty());
  }
  Findings findings;
  Node root = Node::map({});
  apply_override(root, "description=run #5", findings);
  CHECK(root.find("description")->text() == "run");
  REQUIRE(findings.warnings().size() == 1);
  CHECK(findings.warnings()[0].starts_with("override 'description=run #5': what stands from `#` on is a comment"));
  apply_override(root, "description='run #5'", findings);
  CHECK(root.find("description")->text() == "run #5");
  CHECK(findings.warnings().size() == 1);
}

}  // namespace tradewind::config
