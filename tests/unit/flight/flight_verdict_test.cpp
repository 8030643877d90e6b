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

TEST_CASE("records of NCCL: coalesced, pairwise and rooted calls are no disagreement, a call given up is not done") {
  const auto of = [](const std::string& folder) {
    std::vector<FlightRecord> records;
    for (int rank = 0; rank < 4; ++rank) {
      const std::string path =
          std::string(TRADEWIND_FLIGHT_DUMPS) + "/" + folder + "/nccl_trace_rank_" + std::to_string(rank);
      records.push_back(read_flight(file_text(path), path));
      records.back().rank = rank;
    }
    return records;
  };
  for (const std::string version : {"nccl-2.4", "nccl-2.10"}) {
    CAPTURE(version);
    for (const std::string how : {"missing", "timeout"}) {
      CAPTURE(how);
      const auto missing = align(of(version + "/" + how));
      REQUIRE(missing);
      CHECK(missing->verdict.what ==
            "rank 2 does not come to collective 51 (_all_gather_base of [BFloat16] [[256]]) of group 0 (default_pg)");
      CHECK(missing->verdict.finding == Finding::missing);
      CHECK(missing->verdict.culprits == std::vector<int>{2});
      CHECK(missing->verdict.waiting == std::vector<int>{0, 1, 3});
    }
    const auto shape = align(of(version + "/shape"));
    REQUIRE(shape);
    CHECK(shape->verdict.what ==
          "rank 2 makes collective 51 with another shape or type than the others of group 0 (default_pg)");
    CHECK(shape->verdict.culprits == std::vector<int>{2});
    const auto records = of(version + "/missing");
    CHECK(waits_in(records[2]) == nullptr);  // past what it launched as one
    REQUIRE(waits_in(records[0]) != nullptr);
    CHECK(waits_in(records[0])->sequence == 51);
  }
}

TEST_CASE("only the root of a scatter has an input, and its type") {
  FlightEntry root = call(5, false, "scatter", "[[3], [3]]"), other = call(5, false, "scatter", "[]");
  other.dtypes = "[]";
  const auto found = align({record(0, {root}), record(1, {other}), record(2, {other})});
  REQUIRE(found);
  CHECK(found->verdict.finding == Finding::network);
  root = call(5, false, "reduce_scatter"), other = call(5, false, "reduce_scatter");
  other.dtypes = "[Int]";
  CHECK(align({record(0, {root}), record(1, {other}), record(2, {root})})->verdict.culprits == std::vector<int>{1});
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

TEST_CASE("why connections broke: different calls, the one that was misled, one that had left") {
  const auto wrong = why_broken(
      {record(0, {call(7, false)}), record(1, {call(7, false, "broadcast")}), record(2, {call(7, false)})}, 4, 3, {});
  REQUIRE(wrong);
  CHECK(wrong->certainty == Certainty::certain);
  CHECK(wrong->culprits == std::vector<int>{1});

  const std::vector<FlightRecord> same = {record(0, {call(7, false)}), record(2, {call(7, false)}),
                                          record(3, {call(7, false)})};
  const auto misled = why_broken(same, 4, 1, {});
  REQUIRE(misled);
  CHECK(misled->finding == Finding::outlier);
  CHECK(misled->certainty == Certainty::likely);
  CHECK(misled->culprits == std::vector<int>{1});
  CHECK(misled->waiting == std::vector<int>{0, 2, 3});
  CHECK(misled->what ==
        "rank 1 makes another call than the others' collective 7 (all_reduce of [Float] [[4]]) of group 0");
  // Of two ranks neither is the wrong one; nor can one be told while another says nothing, or waits elsewhere.
  CHECK_FALSE(why_broken({record(0, {call(7, false)})}, 2, 1, {}));
  CHECK_FALSE(why_broken(same, 5, 1, {}));
  CHECK_FALSE(
      why_broken({record(0, {call(7, false)}), record(2, {call(8, false)}), record(3, {call(7, false)})}, 4, 1, {}));

  const auto left = why_broken(same, 4, std::nullopt, {1});
  REQUIRE(left);
  CHECK(left->finding == Finding::missing);
  CHECK(left->culprits == std::vector<int>{1});
  CHECK(left->what ==
        "rank 1 has left with exit code 0 while ranks 0, 2 and 3 wait in collective 7 (all_reduce of [Float] [[4]]) of "
        "group 0");
  // Nobody waits: what broke was another connection.
  CHECK_FALSE(why_broken({record(0, {call(7, true)})}, 2, std::nullopt, {1}));
  CHECK_FALSE(why_broken(same, 4, std::nullopt, {}));
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
