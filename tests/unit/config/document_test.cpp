// The document's way to the workers, the check of files, and the environment as a value.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/config/config_case.h"

namespace tradewind::config {

TEST_CASE("a worker reads the same document, places included") {
  ConfigCase test;
  test.environment.set("ANEMOI_BASE_SEED", "7");
  const ConfigDocument sent = test.document(
      ConfigCase::complete(
          "date: -1\noutput: {grib: {path: o, missing_value: .nan}}\ntyped_variables: {a: {b: [.inf, ~]}}\n"),
      {"lead_time=6h"});
  const ConfigDocument received = document_from_json(Json::parse(to_json(sent).dump()));
  CHECK(to_json(received) == to_json(sent));
  CHECK(received.name == sent.name);
  const RunConfig config = parse_run_config(received);
  CHECK(iso_date(*config.date) == "2026-02-28T00:00:00");
  CHECK(config.seed == 7);
  CHECK(config.lead_time == std::chrono::hours(6));
  CHECK(std::isnan(std::get<GribOutputConfig>(config.output).missing_value));
  CHECK(std::isinf(config.typed_variables["a"]["b"][0].get<double>()));

  const ConfigDocument bad = document_from_json(to_json(test.document(ConfigCase::complete("lead_time: soon\n"))));
  CHECK(error_of([&] { parse_run_config(bad); }).where() == test.at(3, 12));
}

TEST_CASE("a document that is not ours is an internal fault") {
  for (const char* text : {"{}", "[]", R"({"root": {"at": [5, 1, 1], "value": 1}, "sources": []})"}) {
    CHECK_THROWS_AS(document_from_json(Json::parse(text)), InternalFault);
  }
}

TEST_CASE("files named by the configuration are looked for at once") {
  const ConfigCase test;
  const std::string checkpoint = test.write("a.ckpt", "x"), input = test.write("a.grib", "x");
  const auto check = [&](const std::string& yaml) {
    const ConfigDocument document = test.document(yaml);
    Findings findings;
    check_files(parse_run_config(document), document, findings);
    findings.throw_refusals();
  };
  const std::string start = "checkpoint: " + checkpoint + "\n";
  check(start + "input: {grib: " + input + "}\n");
  check(start + "input: {grib: " + test.path("") + "}\n");
  check(start + "input: {grib: " + test.path("*.grib") + "}\n");
  check(start + "input: {grib: " + test.path("**/*.grib") + "}\n");
  check(start + "input: {grib: '" + test.path("{dataset}.grib") + "'}\n");
  check(start + "input: dummy\n");

  const auto refused = [&](const std::string& yaml, const std::string& message, const std::string& where) {
    CAPTURE(yaml);
    const UserError error = error_of([&] { check(yaml); });
    CHECK(error.message() == message);
    CHECK(error.where() == where);
    CHECK(!error.remedy().empty());
  };
  const std::string none = test.path("none");
  refused("checkpoint: " + none + "\ninput: dummy\n", "the checkpoint '" + none + "' is not there: tried " + none,
          test.at(1, 13));
  const std::string folder = test.path("");
  refused("checkpoint: " + folder + "\ninput: dummy\n",
          "the checkpoint '" + folder + "' is a folder, a file is expected", test.at(1, 13));
  refused(start + "input: {grib: " + none + "}\n", "the input '" + none + "' is not there: tried " + none,
          test.at(2, 15));
  const std::string pattern = test.path("*.grb");
  refused(start + "input: {grib: " + pattern + "}\n", "no file matches the input '" + pattern + "': tried " + pattern,
          test.at(2, 15));
  const std::string deep = none + "/**/*.grib";
  refused(start + "input: {grib: " + deep + "}\n",
          "the input '" + deep + "' starts in a folder that is not there: tried " + none + "/", test.at(2, 15));
  refused(start + "input: dummy\nconstant_forcings: {grib: " + none + "}\n",
          "the input '" + none + "' is not there: tried " + none, test.at(3, 27));
  refused(start + "input: dummy\noutput: {grib: {path: o, templates: {file: " + none + "}}}\n",
          "the template '" + none + "' is not there: tried " + none, test.at(3, 44));
  refused(start + "input: dummy\noutput: {grib: {path: o, templates: {samples: " + none + "}}}\n",
          "the index of templates '" + none + "' is not there: tried " + none, test.at(3, 47));
}

TEST_CASE("a path that is right from the configuration's folder gets that remedy") {
  const ConfigCase test;
  test.write("beside.ckpt", "x");
  const ConfigDocument document = test.document("checkpoint: beside.ckpt\ninput: dummy\n");
  Findings findings;
  check_files(parse_run_config(document), document, findings);
  CHECK(findings.refusals().at(0).remedy.find("write " + test.path("beside.ckpt")) != std::string::npos);
}

TEST_CASE("the environment is a value") {
  char first[] = "A=1", second[] = "B=x=y", third[] = "EMPTY=", fourth[] = "nothing";
  char* list[] = {first, second, third, fourth, nullptr};
  Environment environment = Environment::from_process(list);
  CHECK(environment.get("A") == "1");
  CHECK(environment.get("B") == "x=y");
  CHECK(environment.get("EMPTY") == "");
  CHECK(environment.get_or("EMPTY", "d") == "d");
  CHECK(!environment.get("nothing"));
  CHECK(environment.variables().size() == 3);
  environment.set("A", "2");
  CHECK(environment.get_or("A", "d") == "2");
  environment.unset("A");
  CHECK(!environment.has("A"));
  CHECK(Environment::from_process(nullptr).variables().empty());
}

}  // namespace tradewind::config
