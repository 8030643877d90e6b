#include <doctest/doctest.h>

#include "launcher/watch/verdict.h"
#include "tests/unit/watch/samples.h"

using namespace tradewind::launcher;
using namespace tradewind::testing;

namespace {

using Ranks = std::vector<int>;

std::vector<RankSample> all_wait(int count) {
  return ranks(count, [](int rank) { return waiting(rank); });
}

bool mentions(const Verdict& verdict, const std::string& text) {
  for (const std::string& line : verdict.evidence)
    if (line.find(text) != std::string::npos) return true;
  return verdict.what.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("the rank that does not come is named, with its place") {
  auto samples = all_wait(4);
  samples[2] = computing(2);
  samples[2].telemetry.layer = "decoder halo";
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::missing);
  CHECK(verdict.certainty == Certainty::likely);
  CHECK(verdict.culprits == Ranks{2});
  CHECK(verdict.waiting == Ranks{0, 1, 3});
  CHECK(verdict.what == "rank 2 does not come to collective 11 (all_to_all of Float (4, 8) at 'processor layer 1')");
  CHECK(mentions(verdict, "rank 2: phase step 3/8 at 'decoder halo', 10 collectives done, state R"));
}

TEST_CASE("of several that do not come, those furthest behind are named") {
  auto samples = all_wait(4);
  samples[1] = computing(1, 9);
  samples[2] = computing(2, 10);
  CHECK(judge(samples).culprits == Ranks{1});
  samples[2] = computing(2, 9);
  CHECK(judge(samples).culprits == Ranks{1, 2});
}

TEST_CASE("a rank that has left before the last call is the missing one") {
  auto samples = all_wait(3);
  samples[0] = computing(0);
  samples[0].exited = true;
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::missing);
  CHECK(verdict.culprits == Ranks{0});
  CHECK(mentions(verdict, "has left"));
}

TEST_CASE("with two ranks too, one that does not come is named") {
  auto samples = all_wait(2);
  samples[1] = computing(1);
  CHECK(judge(samples).culprits == Ranks{1});
}

TEST_CASE("a stopped process goes before what it causes") {
  auto samples = all_wait(4);
  samples[3] = computing(3);
  samples[3].process.state = 'T';
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::stopped);
  CHECK(verdict.certainty == Certainty::certain);
  CHECK(verdict.culprits == Ranks{3});
  CHECK(verdict.what == "rank 3 is stopped by a signal");
  samples[3].process.tracer = 99;  // by its debugger
  CHECK(judge(samples).finding == Finding::missing);
}

TEST_CASE("a host that does not answer goes before all else") {
  auto samples = all_wait(4);
  samples[3].process.state = 'T';
  samples[2].lost = true;
  samples[2].host = "far";
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::unreachable);
  CHECK(verdict.culprits == Ranks{2});
  CHECK(verdict.what == "host far with rank 2 does not answer");
}

TEST_CASE("a rank at a file is named with the file") {
  auto samples = all_wait(4);
  samples[1] = computing(1);
  samples[1].telemetry.files = {{"write", "new", 1}, {"write", "out.grib", 9}};
  Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::blocked_io);
  CHECK(verdict.certainty == Certainty::likely);
  CHECK(verdict.culprits == Ranks{1});
  CHECK(verdict.what == "rank 1 is held up by the file out.grib");
  samples[1].process.threads = {{1001, 'S', "futex_wait", "futex", ""},
                                {7, 'D', "fuse_wait", "pwrite64", "/m/out.grib"}};
  verdict = judge(samples);
  CHECK(verdict.certainty == Certainty::certain);
  CHECK(mentions(verdict, "thread 7 in state D in pwrite64 of /m/out.grib (fuse_wait)"));
  samples[1].telemetry.files.clear();  // what the worker does not tell, the kernel does
  CHECK(judge(samples).what == "rank 1 is held up by the file /m/out.grib");
}

TEST_CASE("a file that is open while its rank waits for others is not to blame") {
  auto samples = all_wait(4);
  samples[1].telemetry.files = {{"write", "out.grib", 9}};
  samples[2] = computing(2);
  CHECK(judge(samples).finding == Finding::missing);
}

TEST_CASE("the rank with another operation, dtype or shape is the outlier") {
  const auto change = [](auto how) {
    auto samples = all_wait(4);
    how(samples[2].telemetry.call);
    return judge(samples);
  };
  for (const Verdict& verdict : {change([](auto& call) { call.operation = "barrier"; }),
                                 change([](auto& call) { call.dtype = "Half"; }), change([](auto& call) {
                                   call.shape = {4, 16};
                                 }),
                                 change([](auto& call) { call.place = "decoder halo"; })}) {
    CHECK(verdict.finding == Finding::outlier);
    CHECK(verdict.culprits == Ranks{2});
    CHECK(verdict.what == "rank 2 makes another call than the others as collective 11");
    CHECK(mentions(verdict, "collective 11 of ranks 0, 1 and 3: all_to_all of Float (4, 8) at 'processor layer 1'"));
    CHECK(mentions(verdict, "collective 11 of rank 2: "));
  }
}

TEST_CASE("rows are cut differently; sums, roots and counts are not") {
  auto samples = all_wait(3);
  samples[1].telemetry.call.shape = {5, 8};
  CHECK(judge(samples).finding == Finding::network);
  for (auto& sample : samples) sample.telemetry.call.operation = "all_reduce_sum";
  CHECK(judge(samples).finding == Finding::outlier);
  samples[1].telemetry.call.shape = {4, 8};
  for (auto& sample : samples) sample.telemetry.call = {.sequence = 11, .operation = "broadcast", .sent = {0}};
  CHECK(judge(samples).finding == Finding::network);
  samples[2].telemetry.call.sent = {1};
  CHECK(judge(samples).culprits == Ranks{2});
}

TEST_CASE("two ranks that disagree: nobody is named") {
  auto samples = all_wait(2);
  samples[0].telemetry.call.operation = "barrier";
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::disagreement);
  CHECK(verdict.culprits.empty());
  CHECK(verdict.what == "the ranks disagree about collective 11");
  auto four = all_wait(4);
  four[0].telemetry.call.dtype = four[1].telemetry.call.dtype = "Half";
  CHECK(judge(four).finding == Finding::disagreement);
  four[3].telemetry.call.dtype = "Double";
  CHECK(judge(four).culprits.empty());
}

TEST_CASE("a split that does not fit names the pair but no culprit") {
  auto samples = all_wait(4);
  for (auto& sample : samples) sample.telemetry.call.sent = sample.telemetry.call.received = {2, 2, 2, 2};
  CHECK(judge(samples).finding == Finding::network);
  samples[1].telemetry.call.sent = {2, 2, 3, 1};  // rank 3 has said nothing of less
  samples[3].telemetry.call.received = {2, 1, 2, 2};
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::disagreement);
  CHECK(verdict.culprits.empty());
  CHECK(mentions(verdict, "rank 1 sends 3 rows to rank 2, which expects 2"));
  CHECK_FALSE(mentions(verdict, "to rank 3"));
}

TEST_CASE("a split that does not fit is seen when the sender has gone on meanwhile") {
  auto samples = all_wait(4);
  for (auto& sample : samples) sample.telemetry.call.sent = sample.telemetry.call.received = {2, 2, 2, 2};
  auto& sender = samples[1].telemetry;
  sender.earlier = {sender.call};
  sender.earlier.back().sent = {2, 2, 3, 2};
  sender.call.sequence = 12;
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::disagreement);
  CHECK(verdict.what.find("in collective 11") != std::string::npos);
  CHECK(mentions(verdict, "rank 1 sends 3 rows to rank 2, which expects 2"));
}

TEST_CASE("another call is shown when its rank has gone on meanwhile") {
  auto samples = all_wait(3);
  auto& other = samples[1].telemetry;
  other.earlier = {other.call};
  other.earlier.back().dtype = "Double";
  other.call.sequence = 12;
  const Verdict verdict = judge(samples);
  CHECK(verdict.culprits == Ranks{1});
  CHECK(mentions(verdict, "collective 11 of rank 1: all_to_all of Double (4, 8) at 'processor layer 1'"));
}

TEST_CASE("a rank whose splits fit with no other is the outlier") {
  auto samples = all_wait(4);
  for (auto& sample : samples) sample.telemetry.call.sent = sample.telemetry.call.received = {2, 2, 2, 2};
  samples[1].telemetry.call.sent = {3, 2, 3, 3};
  CHECK(judge(samples).culprits == Ranks{1});
}

TEST_CASE("a call that was skipped long ago shows in what followed") {
  auto samples = all_wait(4);
  for (auto& sample : samples) {
    auto& recent = sample.telemetry.recent;
    recent.assign(tradewind::proto::telemetry_recent_calls, 0);
    for (std::uint64_t call = 1; call <= 11; ++call) recent[call] = 100 + call + (sample.rank == 3 && call >= 7);
  }
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::outlier);
  CHECK(verdict.culprits == Ranks{3});
  CHECK(verdict.what == "rank 3 makes another call than the others as collective 7");
}

TEST_CASE("the fingerprints of calls that were overwritten are not compared") {
  auto samples = all_wait(2);
  constexpr std::uint64_t kept = tradewind::proto::telemetry_recent_calls;
  for (auto& sample : samples) sample.telemetry.recent.assign(kept, 0);
  samples[0] = waiting(0, 70);
  samples[1] = waiting(1, 72);
  for (auto& sample : samples) {
    sample.telemetry.recent.assign(kept, 0);
    for (std::uint64_t call = 1; call <= sample.telemetry.call.sequence; ++call)
      sample.telemetry.recent[call % kept] = call;
  }
  CHECK(judge(samples).finding == Finding::network);
}

namespace {

// A rank with a device, whose host has queued all up to collective `queued` and some places more.
RankSample on_device(int rank, std::uint64_t queued, std::uint64_t reached, std::uint64_t places = 0) {
  constexpr unsigned bits = tradewind::proto::telemetry_mark_bits;
  RankSample sample = computing(rank, queued);
  sample.telemetry.device_queued = (queued << bits) + 2;
  sample.telemetry.device_progress = (reached << bits) + places;
  return sample;
}

}  // namespace

TEST_CASE("a device that does not come to the collective in which the others' devices wait is named") {
  auto samples = ranks(4, [](int rank) { return on_device(rank, 14, rank == 1 ? 11 : 12, 1); });
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::device);
  CHECK(verdict.certainty == Certainty::likely);
  CHECK(verdict.culprits == Ranks{1});
  CHECK(verdict.waiting == Ranks{0, 2, 3});
  CHECK(verdict.what == "the device of rank 1 does not get on: a kernel that does not end");
  CHECK(mentions(verdict, "rank 1: its device has come to collective 11 and has more to do"));
  CHECK(mentions(verdict, "rank 3: its device has come to collective 12 and has more to do"));
}

TEST_CASE("a device that does not end is named before its rank is missing: the others' hosts wait") {
  auto samples = ranks(4, [](int rank) { return waiting(rank, 12); });
  for (auto& sample : samples) sample.telemetry.device_queued = sample.telemetry.device_progress = 12U << 16U;
  samples[2] = on_device(2, 11, 11, 1);
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::device);
  CHECK(verdict.culprits == Ranks{2});
  CHECK(verdict.waiting == Ranks{0, 1, 3});
}

TEST_CASE("a rank whose device has done all that it was given is missing, not slow") {
  auto samples = ranks(3, [](int rank) { return on_device(rank, 14, 12); });
  samples[0] = on_device(0, 11, 11, 2);
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::missing);
  CHECK(verdict.culprits == Ranks{0});
  CHECK(verdict.waiting == Ranks{1, 2});
  CHECK(verdict.what == "rank 0 does not come to collective 12");
}

TEST_CASE("devices that all wait in one collective: the network; one device alone does not end") {
  const Verdict all = judge(ranks(3, [](int rank) { return on_device(rank, 14, 12); }));
  CHECK(all.finding == Finding::network);
  CHECK(all.culprits.empty());
  CHECK(all.waiting == Ranks{0, 1, 2});
  const Verdict one = judge({on_device(0, 0, 0, 1)});
  CHECK(one.finding == Finding::device);
  CHECK(one.culprits == Ranks{0});
}

TEST_CASE("devices that have done all they were given say nothing of a hang") {
  auto samples = ranks(3, [](int rank) { return on_device(rank, 11, 11, 2); });
  CHECK(judge(samples).finding == Finding::stuck);
  samples[0] = computing(0);  // a rank without a device
  samples[0].telemetry.call.sequence = 0;
  CHECK(judge(samples).finding == Finding::stuck);
}

TEST_CASE("all inside and nobody behind: the network, nobody is named") {
  auto samples = all_wait(4);
  const Verdict verdict = judge(samples);
  CHECK(verdict.finding == Finding::network);
  CHECK(verdict.culprits.empty());
  CHECK(verdict.waiting == Ranks{0, 1, 2, 3});
  samples[1] = waiting(1, 10);  // not even the call before reached it
  CHECK(judge(samples).finding == Finding::network);
  CHECK(judge(samples).culprits.empty());
}

TEST_CASE("nobody waits for anybody") {
  const Verdict alone = judge({computing(0)});
  CHECK(alone.finding == Finding::stuck);
  CHECK(alone.culprits == Ranks{0});
  const Verdict all = judge(ranks(3, [](int rank) { return computing(rank); }));
  CHECK(all.finding == Finding::stuck);
  CHECK(all.certainty == Certainty::unknown);
  CHECK(all.culprits.empty());
}

TEST_CASE("what a lost connection hides: different calls, nothing else") {
  auto samples = all_wait(4);
  samples[2] = computing(2);
  CHECK_FALSE(mismatch(samples).has_value());
  samples[2] = waiting(2);
  samples[2].telemetry.call.operation = "barrier";
  samples[2].exited = true;
  REQUIRE(mismatch(samples).has_value());
  CHECK(mismatch(samples)->culprits == Ranks{2});
}

TEST_CASE("many ranks are summed up") {
  auto samples = all_wait(40);
  for (int rank = 0; rank < 18; ++rank) samples[static_cast<std::size_t>(rank)] = computing(rank);
  const Verdict verdict = judge(samples);
  CHECK(verdict.culprits.size() == 18);
  CHECK(verdict.what.find("15 and 2 more do not come") != std::string::npos);
  CHECK(verdict.evidence.size() <= 16);
}
