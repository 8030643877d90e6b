// A rank that is slow but moves is named at the end, with what it costs, and is never stopped.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/integration/program.h"

using namespace tradewind::test;
using Json = nlohmann::ordered_json;

TEST_CASE("a slow rank is named in the summary and in the report") {
  for (const int ranks : {2, 3}) {
    CAPTURE(ranks);
    const Folder folder(TRADEWIND_GOLDEN_DIR "/gt-transformer");
    // Each step of this rank takes 1.5 s longer.
    const Result result =
        run({.command = {TRADEWIND_EXECUTABLE, "drill", "slow-rank", "--world-size", std::to_string(ranks), "--rank",
                         "1", "--config", "config.yaml", "--run-dir", "d"},
             .folder = folder.path,
             .environment = {{"OMP_NUM_THREADS", "1"}, {"TRADEWIND_TEST_MARK", folder.path}}});
    CAPTURE(result.error);
    CHECK(result.code == 0);
    CHECK(result.error.find("slow rank: rank 1 on ") != std::string::npos);
    const Json report = Json::parse(text_of(folder.path / "d" / "report.json"));
    CHECK(report["status"] == "done");
    CHECK_FALSE(report.contains("hang"));
    REQUIRE(report.contains("straggler"));
    CHECK(report["straggler"]["rank"] == 1);
    CHECK(report["straggler"]["cost_per_step"].get<double>() > 0.5);
    CHECK(report["straggler"]["seconds_per_step"].get<double>() >= 1.5);
    // Its peers wait for it in their exchanges, it waits for nobody.
    std::vector<double> waiting;
    for (const Json& rank : report["ranks"]) {
      waiting.push_back(0);
      for (const Json& traffic : rank["traffic"]) waiting.back() += traffic["waiting"].get<double>();
    }
    REQUIRE(waiting.size() == static_cast<std::size_t>(ranks));
    const double late = 1.5 * report["steps"].get<double>();
    for (int rank = 0; rank < ranks; ++rank) {
      CAPTURE(rank);
      if (rank == 1)
        CHECK(waiting[1] < 0.5 * late);
      else
        CHECK(waiting[static_cast<std::size_t>(rank)] > 0.7 * late);
    }
    CHECK(processes_marked(folder.path) == 0);
  }
}
