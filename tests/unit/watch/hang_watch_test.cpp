#include <doctest/doctest.h>

#include <algorithm>

#include "launcher/watch/hang_watch.h"
#include "proto/lines.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind;
using namespace tradewind::launcher;
using namespace tradewind::testing;

namespace {

proto::Json body(const char* kind, const RankSample& sample) { return {{kind, proto::encode_sample(sample)}}; }

// Two ranks, of which the second does not come to a collective.
struct Run {
  explicit Run(WatchSettings settings = {}) : watch(2, settings, "", now) {}
  HangNews second(bool fresh = true) {
    if (fresh) {
      watch.heard(0, body("sample", waiting(0)), now);
      watch.heard(1, body("sample", computing(1)), now);
    }
    now += std::chrono::seconds(1);
    return watch.passed(now);
  }
  HangNews until_gather() {
    for (int i = 0; i < 60; ++i)
      if (HangNews news = second(); news.gather) return news;
    return {};
  }
  TimePoint now = TimePoint() + std::chrono::hours(1);
  HangWatch watch;
};

}  // namespace

TEST_CASE("from samples over evidence to the report of a hang") {
  Run run;
  CHECK(run.until_gather().gather);
  CHECK_FALSE(run.watch.heard(0, body("evidence", waiting(0)), run.now).hang.has_value());
  proto::Json evidence = body("evidence", computing(1));
  evidence["stack"] = "#0 somewhere";
  evidence["record"] = "7 gloo:barrier: - -> -, done\n";
  const HangNews news = run.watch.heard(1, evidence, run.now);
  REQUIRE(news.hang.has_value());
  CHECK(news.hang->verdict.culprits == std::vector<int>{1});
  CHECK(news.hang->stopped);
  CHECK(news.hang->stacks.at(1) == "#0 somewhere");
  CHECK(news.hang->records.at(1).starts_with("7 gloo:barrier"));
  CHECK(news.hang->seconds_to_verdict >= 8);
}

TEST_CASE("what the driver and NCCL say is evidence: the devices first, once a host") {
  Run run;
  CHECK(run.until_gather().gather);
  const std::string xid = "Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.";
  proto::Json first = body("evidence", waiting(0)), second = body("evidence", computing(1));
  first["xids"] = {xid};
  second["xids"] = {xid, 7};
  second["ras"] = "Errors\n======\n\nINCOMPLETE\n";
  run.watch.heard(0, first, run.now);
  const HangNews news = run.watch.heard(1, second, run.now);
  REQUIRE(news.hang.has_value());
  const auto& evidence = news.hang->verdict.evidence;
  CHECK(evidence.front() == "kernel log of " + waiting(0).host + ": " + xid);
  CHECK(evidence.back() == "NCCL RAS on " + computing(1).host + ": INCOMPLETE");
  const auto times =
      std::count_if(evidence.begin(), evidence.end(), [&](const std::string& line) { return line.ends_with(xid); });
  CHECK(times == (waiting(0).host == computing(1).host ? 1 : 2));
  CHECK(news.hang->ras.at(1).starts_with("Errors"));
}

TEST_CASE("evidence that does not come is not waited for longer than 4 s") {
  Run run;
  CHECK(run.until_gather().gather);
  run.watch.heard(0, body("evidence", waiting(0)), run.now);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(run.second().hang.has_value());
  const HangNews news = run.second();
  REQUIRE(news.hang.has_value());
  CHECK(news.hang->verdict.culprits == std::vector<int>{1});
}

TEST_CASE("without news of a rank nothing is judged, until its agent is known to be lost") {
  Run run;
  run.second();
  for (int i = 0; i < 100; ++i) CHECK_FALSE(run.second(false).gather);
  run.watch.lost({1});
  bool gathers = false;
  for (int i = 0; i < 60 && !gathers; ++i) {
    run.watch.heard(0, body("sample", waiting(0)), run.now);
    gathers = run.second(false).gather;
  }
  CHECK(gathers);
  const HangNews news = run.watch.heard(0, body("evidence", waiting(0)), run.now);
  REQUIRE(news.hang.has_value());
  CHECK(news.hang->verdict.finding == Finding::unreachable);
}

TEST_CASE("a watch that is off says nothing, one that observes does not stop") {
  Run off({.mode = HangMode::off});
  for (int i = 0; i < 60; ++i) CHECK_FALSE(off.second().gather);
  CHECK(off.watch.samples().size() == 2);  // for those who ask how the run gets on
  Run observed({.mode = HangMode::observe});
  CHECK(observed.until_gather().gather);
  observed.watch.heard(0, body("evidence", waiting(0)), observed.now);
  const HangNews news = observed.watch.heard(1, body("evidence", computing(1)), observed.now);
  CHECK_FALSE(news.hang->stopped);
  observed.watch.heard(0, body("sample", waiting(0)), observed.now);
  observed.watch.heard(1, body("sample", computing(1, 30)), observed.now);
  observed.now += std::chrono::seconds(1);
  CHECK(observed.watch.passed(observed.now).withdrawn);
}

TEST_CASE("lost connections are explained by different calls") {
  Run run;
  run.second();
  CHECK_FALSE(run.watch.explain().has_value());
  RankSample other = waiting(1);
  other.telemetry.call.dtype = "Double";
  run.watch.heard(1, body("sample", other), run.now);
  REQUIRE(run.watch.explain().has_value());
  CHECK(run.watch.explain()->verdict.finding == Finding::disagreement);
}

TEST_CASE("bodies that are none are refused") {
  Run run;
  CHECK_THROWS_AS(run.watch.heard(0, proto::Json::object(), run.now), proto::ProtocolError);
  CHECK_THROWS_AS(run.watch.heard(0, proto::Json("text"), run.now), proto::ProtocolError);
  CHECK_THROWS_AS(run.watch.heard(2, body("sample", computing(0)), run.now), proto::ProtocolError);
  CHECK_THROWS_AS(run.watch.heard(0, {{"sample", 3}}, run.now), proto::ProtocolError);
}
