// A runner from a shared library: examples/base-runner in a real forecast.
#include <doctest/doctest.h>

#include "tests/integration/grib_messages.h"
#include "tests/integration/program.h"

using namespace tradewind::test;

namespace {

const std::filesystem::path example = TRADEWIND_GOLDEN_DIR "/gt-transformer";

Result launch(const Folder& folder, const std::vector<std::string>& overrides) {
  std::vector<std::string> command = {TRADEWIND_EXECUTABLE, "run", "config.yaml", "lead_time=12h", "--run-dir", "d"};
  command.insert(command.end(), overrides.begin(), overrides.end());
  return run({.command = command,
              .folder = folder.path,
              .environment = {{"TRADEWIND_WORKER", TRADEWIND_WORKER_EXECUTABLE},
                              {"TRADEWIND_PLUGINS", TRADEWIND_PERSISTENCE}}});
}

// The packed values of every 2 m temperature, by step: 5248 points of 24 bits.
std::vector<std::string> packed_temperatures(const Folder& folder) {
  constexpr std::size_t packed = 5248 * 3 + 4;
  std::vector<std::string> values;
  for (const std::string& message : messages_of(text_of(folder.path / "output.grib"))) {
    if (short_name(message) == "2t") values.push_back(message.substr(message.size() - packed));
  }
  return values;
}

}  // namespace

TEST_CASE("a base runner of a shared library makes the forecast, and gets its options") {
  const Folder kept(example);
  const Result persistence = launch(kept, {"runner=persistence"});
  CAPTURE(persistence.error);
  REQUIRE(persistence.code == 0);
  const std::vector<std::string> steps = packed_temperatures(kept);
  REQUIRE(steps.size() == 3);
  CHECK(steps[1] == steps[0]);
  CHECK(steps[2] == steps[0]);

  const Folder carried_on(example);
  const Result trend = launch(carried_on, {"runner.parallel.base_runner=persistence", "runner.parallel.trend=true",
                                           "runner.parallel.cluster.manual=1"});
  CAPTURE(trend.error);
  REQUIRE(trend.code == 0);
  const std::vector<std::string> moving = packed_temperatures(carried_on);
  REQUIRE(moving.size() == 3);
  CHECK(moving[0] == steps[0]);
  CHECK(moving[1] != moving[0]);
}

TEST_CASE("an option that the base runner does not know is refused by name") {
  const Folder folder(example);
  const Result result = launch(folder, {"runner.parallel.base_runner=persistence", "runner.parallel.slope=2",
                                        "runner.parallel.cluster.manual=1"});
  CAPTURE(result.error);
  CHECK(result.code == 2);
  CHECK(result.error.find("'slope'") != std::string::npos);
  CHECK(result.error.find("its options are trend") != std::string::npos);
}
