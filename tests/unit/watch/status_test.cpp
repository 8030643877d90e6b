#include "launcher/watch/status.h"

#include <doctest/doctest.h>

#include "tests/unit/watch/samples.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;

TEST_CASE("the table has a row for each rank, each column as wide as it must be") {
  auto samples = std::vector<RankSample>{computing(0), waiting(1)};
  samples[0].host = "a-host-with-a-long-name";
  samples[0].telemetry.steps = 40000;
  samples[0].telemetry.step = 11440;
  samples[0].telemetry.layer = "";
  samples[0].telemetry.waited_seconds = 3;
  samples[1].telemetry.call_seconds = 2;
  samples[1].process.resident_bytes = 300 << 20;
  auto status = status_json(samples, "running", 10);
  status["time"] = "2024-01-15T00:01:02";
  CHECK(
      status_table(status) ==
      "2024-01-15T00:01:02 UTC  running\n"
      "rank  host                     device  phase  step         at                              since  waits  "
      "memory\n"
      "0     a-host-with-a-long-name  cpu     step   11440/40000  -                               0.0 s  30 %   0 MiB\n"
      "1     here                     cpu     step   3/8          all_to_all 'processor layer 1'  2.0 s  20 %   300 "
      "MiB\n");
}

TEST_CASE("a row says what became of its rank; long places are cut with a sign") {
  auto samples = std::vector<RankSample>{computing(0), computing(1), computing(2)};
  samples[0].exited = true;
  samples[1].lost = true;
  samples[2].telemetry.layer = std::string(60, 'x');
  const std::string table = status_table(status_json(samples, "failed", 0));
  CHECK(table.find("  failed\n") != std::string::npos);
  CHECK(table.find("ended") != std::string::npos);
  CHECK(table.find("lost") != std::string::npos);
  CHECK(table.find(" " + std::string(38, 'x') + ".. ") != std::string::npos);
}
