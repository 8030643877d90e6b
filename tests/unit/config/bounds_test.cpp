// What has no end, or is larger than any configuration, ends in one error, soon: documents, overrides, interpolations.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>

#include "common/config/merge.h"
#include "common/config/nodes/yaml_load.h"
#include "tests/unit/config/config_case.h"

namespace tradewind::config {
namespace {

Node load(const std::string& text) {
  std::vector<std::string> warnings;
  return load_yaml(text, "t.yaml", {}, warnings);
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Numbered lines: "k0: 1".
std::string lines(const std::string& before, int times, const std::string& after) {
  std::string all;
  for (int i = 0; i < times; ++i) all += before + std::to_string(i) + after;
  return all;
}

double seconds_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("documents that are too much of something") {
  const std::pair<std::string, const char*> table[] = {
      {lines("k", 1000000, ": 1\n"), "a map has more than 10000 keys"},
      {lines("k", 10001, ": 1\n"), "a map has more than 10000 keys"},
      {"a: {" + lines("k", 10001, ": 1, ") + "}", "a map has more than 10000 keys"},
      {"a: [" + repeated("1, ", 250000) + "]", "the document has more than 100000 values"},
      {repeated("[", 200), "this is nested more than 100 deep"},
      {repeated("{a: ", 200), "this is nested more than 100 deep"},
      {repeated("- ", 200) + "1", "this is nested more than 100 deep"},
      {"a: " + std::string((16U << 20) + 1, 'x'), "this is larger than 16 MiB"},
  };
  for (const auto& [text, message] : table) {
    const std::string shown = text.substr(0, 20);
    CAPTURE(shown);
    UserError error("");
    CHECK(seconds_of([&, text = text] { error = error_of([&] { load(text); }); }) < 5);
    CHECK(error.message() == message);
    CHECK(!error.remedy().empty());
  }
  CHECK(load(lines("k", 10000, ": 1\n")).entries.size() == 10000);
  CHECK(load("a: [" + repeated("1, ", 99000) + "]").entries.size() == 1);
}

TEST_CASE("merge keys and defaults of many keys take no long time") {
  const std::string base = "base: &base {" + lines("k", 9990, ": 1, ") + "}\n";
  CHECK(seconds_of([&] { load(base + lines("m", 4, ": {<<: *base, z: 1}\n")); }) < 5);
  Node root = load(lines("k", 10000, ": 1\n"));
  const Node over = load(lines("k", 5000, ": 2\n") + lines("n", 5000, ": 2\n"));
  CHECK(seconds_of([&] { merge_over(root, over); }) < 2);
  CHECK(root.entries.size() == 15000);
}

TEST_CASE("a stream without end is no configuration") {
  const UserError error = error_of([&] { merge_config({"/dev/zero", {}, {}}, Environment(), Time()); });
  CHECK(error.message() == "this is larger than 16 MiB");
  CHECK(error.where() == "/dev/zero");
}

TEST_CASE("overrides that are too much of something") {
  const ConfigCase test;
  const std::string deep = repeated("a.", 60000) + "a=1", brackets = "a" + repeated("[0]", 40000) + "=1";
  for (const std::string& text : {deep, brackets, repeated("a.", 100) + "a=1"}) {
    const UserError error = error_of([&] { test.document("", {text}); });
    CHECK(error.message() == "the key has more than 100 parts");
    CHECK(error.where().size() < 300);
  }
  const UserError nested = error_of([&] { test.document("", {"a=" + repeated("[", 50000)}); });
  CHECK(nested.message() == "this is nested more than 100 deep");
  CHECK(nested.where().size() < 300);
  const UserError many = error_of([&] { test.document("", std::vector<std::string>(1001, "name=x")); });
  CHECK(many.message() == "there are 1001 overrides");
  CHECK(error_of([&] { test.document("l: [1]\n", {"l.999999999=1"}); }).message() ==
        "index 999999999 is out of range for `l`, a list of 1");
  CHECK(error_of([&] { test.document("l: [1]\n", {"l." + std::string(50000, '9') + "=1"}); }).message().size() < 500);
  CHECK(error_of([&] { test.document("l: x\n", {"l.b=" + std::string(100000, '9')}); }).remedy().size() < 500);
}

TEST_CASE("interpolations that are too much of something") {
  const ConfigCase test;
  const auto says = [&](const std::string& yaml, const std::string& text) {
    for (const Refusal& one : test.findings(yaml).refusals())
      if (one.what.starts_with(text)) return one.what.size() < 500;
    return false;
  };
  const std::string big((1 << 20) + 1, 'x'), half(1 << 19, 'x');
  CHECK(says("a: " + big + "\nb: '${a}x'\n", "interpolation makes a text of more than 1 MiB"));
  CHECK(says("a: " + half + "\nb: [" + repeated("'${a}x', ", 60) + "]\n",
             "interpolations make more than 16 MiB of text together"));
  std::string chain = "k0: 1\n";
  for (int i = 1; i < 300; ++i)
    chain += std::string("k").append(std::to_string(i)).append(": ${k").append(std::to_string(i - 1)).append("}\n");
  CHECK(says(chain, "interpolation is nested too deep"));
  CHECK(says("a: " + repeated("${", 50000) + "\n", "interpolation is nested too deep"));
  CHECK(seconds_of([&] { test.findings(lines("k", 9000, ": ${k9100}\n") + lines("k9", 200, ": 1\n")); }) < 5);
}

TEST_CASE("what a message shows of a value has an end") {
  const ConfigCase test;
  const std::string big(1 << 20, 'x');
  for (const std::string& yaml :
       {"date: " + big, big + ": 1", "runner: " + big, "precision: " + big, "output: {" + big + ": 1}",
        "verbosity: " + big, "initial_state_categories: [" + big + "]", "pre_processors: [" + big + "]",
        "lead_time: " + big, "device: " + big, "a: " + std::string(100000, '9')}) {
    const std::string shown = yaml.substr(0, 20);
    CAPTURE(shown);
    const Refusals all = refused([&] { test.findings(ConfigCase::complete(yaml)).throw_refusals(); });
    REQUIRE(!all.empty());
    for (const Refusal& one : all) CHECK(one.what.size() + one.where.size() + one.remedy.size() < 2000);
  }
}

}  // namespace tradewind::config
