// Who holds collectives up, by the records of all ranks: those of real hangs, and ones made up.
#include "launcher/watch/flight_verdict.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "common/file_text.h"

using namespace tradewind;
using namespace tradewind::launcher;

namespace {

std::vector<FlightRecord> dumps(const std::string& folder, std::vector<int> ranks = {0, 1, 2, 3}) {
  std::vector<FlightRecord> records;
  for (const int rank : ranks) {
    const std::string path =
        std::string(TRADEWIND_FLIGHT_DUMPS) + "/" + folder + "/comm_lib_trace_rank_" + std::to_string(rank);
    REQUIRE(std::filesystem::exists(path));
    records.push_back(read_flight(file_text(path), path));
    records.back().rank = rank;
  }
  return records;
}

FlightEntry call(std::int64_t sequence, bool done, const std::string& operation = "all_reduce",
                 const std::string& sizes = "[[4]]", const std::string& group = "0") {
  return {.group = group,
          .sequence = sequence,
          .operation = operation,
          .sizes = sizes,
          .dtypes = "[Float]",
          .done = done,
          .created_ns = 1000 + sequence};
}

FlightRecord record(int rank, std::vector<FlightEntry> entries) {
  return {.rank = rank, .version = "2.10", .entries = std::move(entries)};
}

}  // namespace

TEST_CASE("records of real hangs, of two versions of torch") {
  for (const std::string version : {"2.10.0", "2.15.0"}) {
    CAPTURE(version);
    const auto missing = align(dumps(version + "/missing"));
    REQUIRE(missing);
    CHECK(missing->verdict.finding == Finding::missing);
    CHECK(missing->verdict.certainty == Certainty::certain);
    CHECK(missing->verdict.culprits == std::vector<int>{1});
    CHECK(missing->verdict.waiting == std::vector<int>{0, 2, 3});
    CHECK(missing->verdict.what == "rank 1 does not come to collective 6 (all_reduce of [Float] [[4]]) of group 0");
    CHECK(missing->since_ns > 0);

    const auto operation = align(dumps(version + "/op"));
    REQUIRE(operation);
    CHECK(operation->verdict.finding == Finding::outlier);
    CHECK(operation->verdict.culprits == std::vector<int>{1});
    CHECK(operation->sequence == 6);
    CHECK(operation->verdict.what == "rank 1 makes collective 6 with another operation than the others of group 0");

    // Rank 0 waits for rank 2 in a group of those two, ranks 1 and 3 wait for both in the group of all.
    const auto group = align(dumps(version + "/group"));
    REQUIRE(group);
    CHECK(group->verdict.finding == Finding::missing);
    CHECK(group->verdict.culprits == std::vector<int>{2});
  }
}

TEST_CASE("a rank without a record is named when nobody else is missing") {
  const auto found = align(dumps("2.15.0/missing", {0, 2, 3}));
  REQUIRE(found);
  CHECK(found->verdict.finding == Finding::missing);
  CHECK(found->verdict.certainty == Certainty::likely);
  CHECK(found->verdict.culprits == std::vector<int>{1});
  CHECK(found->verdict.what.find("gives no record") != std::string::npos);
}

TEST_CASE("nobody waits: no verdict") {
  CHECK_FALSE(align({}));
  CHECK_FALSE(align({record(0, {}), record(1, {})}));
  CHECK_FALSE(align({record(0, {call(1, true)}), record(1, {call(1, true)})}));
  // One that is a call ahead, and done with it, waits for nobody either.
  CHECK_FALSE(align({record(0, {call(1, true), call(2, true)}), record(1, {call(1, true)})}));
}

TEST_CASE("all came: the network, and nobody is named") {
  const auto found = align({record(0, {call(7, false)}), record(1, {call(7, false)}), record(2, {call(7, false)})});
  REQUIRE(found);
  CHECK(found->verdict.finding == Finding::network);
  CHECK(found->verdict.culprits.empty());
  CHECK(found->verdict.waiting == std::vector<int>{0, 1, 2});
}

TEST_CASE("two ranks disagree: nobody can be named") {
  const auto found = align({record(0, {call(7, false)}), record(1, {call(7, false, "broadcast")})});
  REQUIRE(found);
  CHECK(found->verdict.finding == Finding::disagreement);
  CHECK(found->verdict.culprits.empty());
}

TEST_CASE("the first mismatch counts, though ranks went on after it") {
  const auto found = align({record(0, {call(5, true), call(6, false)}), record(1, {call(5, true), call(6, false)}),
                            record(2, {call(5, true, "all_reduce", "[[9]]"), call(6, false, "barrier", "")})});
  REQUIRE(found);
  CHECK(found->sequence == 5);
  CHECK(found->verdict.what == "rank 2 makes collective 5 with another shape or type than the others of group 0");
  CHECK(found->verdict.culprits == std::vector<int>{2});
}

TEST_CASE("ranks may give rows of their own number where the operation lets them") {
  CHECK_FALSE(
      align({record(0, {call(5, true, "all_to_all", "[[3]]")}), record(1, {call(5, true, "all_to_all", "[[4]]")})}));
}

TEST_CASE("sends and receives number pairs, not ranks") {
  FlightEntry send = call(9, false, "send");
  send.pairwise = true;
  CHECK_FALSE(align({record(0, {send}), record(1, {call(1, true)})}));
}

TEST_CASE("a rank that waits in another group is no culprit there") {
  // 0 and 1 wait in the group of all; 2 waits for 3 in theirs; 3 is nowhere.
  auto all = [](int rank, std::vector<FlightEntry> entries) {
    FlightRecord one = record(rank, std::move(entries));
    one.groups = {{"0", {"default_pg", {0, 1, 2, 3}}}, {"1", {"pair", {2, 3}}}};
    return one;
  };
  const auto found =
      align({all(0, {call(4, false)}), all(1, {call(4, false)}),
             all(2, {call(3, true), call(1, false, "broadcast", "[[2]]", "1")}), all(3, {call(3, true)})});
  REQUIRE(found);
  CHECK(found->verdict.finding == Finding::missing);
  CHECK(found->verdict.culprits == std::vector<int>{3});
  CHECK(found->group == "1");
}
