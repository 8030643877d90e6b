#include "launcher/report/straggler.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace tradewind::launcher;
using Json = tradewind::proto::Json;

namespace {

// A run that is done, with the seconds (computing, waiting) of each rank.
Outcome done(const std::vector<std::pair<double, double>>& ranks, int steps = 10) {
  Outcome outcome{.status = "done", .steps = steps};
  for (const auto& [computing, waiting] : ranks) {
    RankResult rank;
    rank.host = std::string("h").append(std::to_string(outcome.ranks.size()));
    rank.figures = {{"seconds", {{"computing", computing}, {"waiting", waiting}}}};
    outcome.ranks.push_back(rank);
  }
  return outcome;
}

}  // namespace

TEST_CASE("a rank that the others wait for is named with its cost") {
  const auto slow = straggler_of(done({{2, 15.1}, {2.2, 14.9}, {17, 0.1}, {2.1, 15}}));
  REQUIRE(slow);
  CHECK(slow->rank == 2);
  CHECK(slow->host == "h2");
  CHECK(slow->seconds_per_step == doctest::Approx(1.7));
  CHECK(slow->others_seconds_per_step == doctest::Approx(0.21));
  CHECK(slow->cost_per_step == doctest::Approx(1.49));
  CHECK(text_of(*slow) ==
        "slow rank: rank 2 on h2 computes 1.7 s a step, the others 0.21 s: it costs the run 1.49 s a step");
  CHECK(to_json(*slow)["cost_per_step"] == slow->cost_per_step);
  CHECK(straggler_of(done({{1, 8}, {9, 0}}))->rank == 1);
}

TEST_CASE("ranks of like speed, short runs and work nobody waits for make no straggler") {
  CHECK_FALSE(straggler_of(done({{10, 1}, {11, 0.5}, {12, 0.1}, {9, 2}})));
  CHECK_FALSE(straggler_of(done({{0.1, 0.8}, {1, 0}})));      // 0.9 s in all
  CHECK_FALSE(straggler_of(done({{2, 3}, {9, 3}})));          // nobody waits for it
  CHECK_FALSE(straggler_of(done({{2, 7}, {9, 0}, {2, 1}})));  // one rank does not
  CHECK_FALSE(straggler_of(done({{9, 0}})));
  CHECK_FALSE(straggler_of(done({{1, 8}, {9, 0}}, 0)));
}

TEST_CASE("runs that are not done, or say nothing of their seconds, have none") {
  Outcome failed = done({{1, 8}, {9, 0}});
  failed.status = "failed";
  CHECK_FALSE(straggler_of(failed));
  Outcome silent = done({{1, 8}, {9, 0}});
  silent.ranks[0].figures = Json::object();
  CHECK_FALSE(straggler_of(silent));
  silent.ranks[0].figures = {{"seconds", {{"computing", "x"}, {"waiting", 1}}}};
  CHECK_FALSE(straggler_of(silent));
}
