// Paths that are none, wherever they stand.
#include <utility>

#include "tests/unit/config/config_case.h"

using namespace tradewind;
using namespace tradewind::config;

namespace {

// The first thing that is wrong with a configuration, at this column of its line 3.
void check_first(const std::string& yaml, int column, const std::string& part) {
  const ConfigCase test;
  CAPTURE(yaml);
  const Refusals all = refused([&] { test.run(yaml); });
  REQUIRE(!all.empty());
  CAPTURE(all[0].what);
  CHECK(all[0].what.find(part) != std::string::npos);
  CHECK(all[0].where == test.at(3, column));
}

}  // namespace

TEST_CASE("an empty path is refused where it stands, not taken for the root or for nothing") {
  for (const auto& [yaml, column] :
       {std::pair("output: {grib: ''}", 16), std::pair("output: {raw: ''}", 15),
        std::pair("output: {printer: {path: ''}}", 26), std::pair("output: {tee: [{raw: {dir: ''}}]}", 28),
        std::pair("output: {parallel: {grib: {path: ''}}}", 34),
        std::pair("output: {grib: {path: o, templates: {file: ''}}}", 44),
        std::pair("output: {grib: {path: o, templates: {samples: ''}}}", 47),
        std::pair("output: {grib: {path: o, templates: [{samples: [[{}, '']]}]}}", 54),
        std::pair("post_processors: [{extract_mask: ''}]", 34), std::pair("constant_forcings: {grib: ''}", 27),
        std::pair("dynamic_forcings: {repeated_dates: {source: {grib: ''}, date: 2024-01-01}}", 52)})
    check_first(yaml, column, "is empty");
}

TEST_CASE("the character at which the system would cut a path is refused") {
  for (const auto& [yaml, column] :
       {std::pair(R"(output: {grib: "a\0.grib"})", 16), std::pair(R"(output: {raw: "a\0"})", 15),
        std::pair(R"(output: {raw: {dir: d, template: "{date}\0"}})", 34),
        std::pair(R"(output: {raw: {dir: d, strftime: "%Y\0"}})", 34),
        std::pair(R"(output: {printer: {path: "a\0"}})", 26),
        std::pair(R"(output: {grib: {path: o, templates: {file: "a\0"}}})", 44),
        std::pair(R"(post_processors: [{assign_mask: "a\0"}])", 33),
        std::pair(R"(constant_forcings: {grib: "a\0"})", 27)})
    check_first(yaml, column, "holds the character 0, at which the system would cut it");
  const ConfigCase test;
  const Refusals all = refused([&] { parse_run_config(test.document("checkpoint: \"a\\0\"\ninput: {grib: a}\n")); });
  REQUIRE(!all.empty());
  CHECK(all[0].what == "`checkpoint` holds the character 0, at which the system would cut it");
}

TEST_CASE("a template of folders is refused") {
  check_first("output: {raw: {dir: d, template: '{date}/'}}", 34, "ends with a slash, thus names folders");
}
