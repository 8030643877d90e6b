// Helpers of the configuration's tests: a folder of one test's files, a document from YAML text, the error of a bad
// one.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "common/config/load.h"
#include "common/errors.h"
#include "common/refusals.h"
#include "tests/helpers/temporary_folder.h"

namespace tradewind::config {

class ConfigCase {
 public:
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& text) const {
    test::put_text(path(name), text);
    return path(name);
  }
  // "FOLDER/config.yaml:2:7"
  std::string at(int line, int column, const std::string& name = "config.yaml") const {
    return path(name) + ":" + std::to_string(line) + ":" + std::to_string(column);
  }

  // Throws what cannot be merged.
  ConfigDocument document(const std::string& yaml, const std::vector<std::string>& overrides = {},
                          const std::vector<std::string>& defaults = {}) const {
    return merge_config({write("config.yaml", yaml), defaults, overrides}, environment, parse_date("2026-03-01T17:45"));
  }
  // Of a configuration that has what must be there; `yaml` begins at its line 3.
  RunConfig run(const std::string& yaml, const std::vector<std::string>& overrides = {}) const {
    return parse_run_config(document(complete(yaml), overrides));
  }
  // All that is wrong.
  Findings findings(const std::string& yaml, const std::vector<std::string>& overrides = {},
                    const std::vector<std::string>& defaults = {}) const {
    Findings found;
    const ConfigDocument merged = merge_config({write("config.yaml", yaml), defaults, overrides}, environment,
                                               parse_date("2026-03-01T17:45"), found);
    parse_run_config(merged, found);
    return found;
  }
  static std::string complete(const std::string& yaml) {
    const bool input = yaml.find("input:") == 0 || yaml.find("\ninput:") != std::string::npos;
    return "checkpoint: a.ckpt\n" + std::string(input ? "\n" : "input: {grib: a.grib}\n") + yaml;
  }

  Environment environment;

 private:
  test::TemporaryFolder folder_;
};

template <typename Action>
UserError error_of(Action action) {
  try {
    action();
  } catch (const UserError& error) {
    return error;
  }
  FAIL("accepted");
  return UserError("");
}

template <typename Action>
Refusals refused(Action action) {
  try {
    action();
  } catch (const UserError& error) {
    return refusals_of(error);
  }
  return {};
}

// A mistake, the first of it: the configuration is `yaml` from its line 3 on.
struct Bad {
  const char* yaml;
  const char* message;
  int line, column;
  const char* remedy;  // a part of it
};

inline void check_refused(std::initializer_list<Bad> table) {
  const ConfigCase test;
  for (const Bad& bad : table) {
    const std::string shown(bad.yaml);
    CAPTURE(shown);
    const Refusals all = refused([&] { test.run(bad.yaml); });
    REQUIRE(!all.empty());
    CHECK(all[0].what == bad.message);
    CHECK(all[0].where == test.at(bad.line, bad.column));
    CHECK(all[0].remedy.find(bad.remedy) != std::string::npos);
  }
}

}  // namespace tradewind::config
