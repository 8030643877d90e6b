#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include "proto/lines.h"
#include "proto/rank_sample.h"

using namespace tradewind::proto;

namespace {

struct Words {
  std::array<std::uint64_t, 40> all;
};

std::unique_ptr<TelemetryPage> empty_page() { return std::make_unique<TelemetryPage>(); }

template <std::size_t N>
void put(std::array<char, N>& to, const char* text) {
  std::strncpy(to.data(), text, N - 1);
}

RankSample example() {
  RankSample sample{.rank = 3, .pid = 77, .host = "node-a", .device = "cpu", .lost = true};
  sample.telemetry = {.known = true,
                      .phase = "step",
                      .layer = "processor layer 3",
                      .step = 2,
                      .steps = 8,
                      .valid_time = 1705276800,
                      .tick = ~std::uint64_t{0},
                      .written_step = 21600,
                      .call = {.sequence = 9, .operation = "all_to_all", .shape = {3, 4}, .sent = {1, 2}},
                      .earlier = {{.sequence = 8, .operation = "barrier"}},
                      .files = {{"write", "out.grib", 1.5}},
                      .recent = {1, 2, 3}};
  sample.process = {.known = true, .state = 'D', .tracer = 5, .threads = {{8, 'S', "pipe_write", "write", "/p"}}};
  return sample;
}

}  // namespace

TEST_CASE("a reader never sees half an update") {
  Seqlocked<Words> shared{};
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Words words{};
    for (std::uint64_t i = 0; !stop; ++i) {
      words.all.fill(i);
      shared.store(words);
    }
  });
  int whole = 0;
  for (int i = 0; i < 20000; ++i) {
    Words seen{};
    if (!shared.load(seen)) continue;
    ++whole;
    for (const std::uint64_t word : seen.all) REQUIRE(word == seen.all[0]);
  }
  stop = true;
  writer.join();
  CHECK(whole > 0);
}

TEST_CASE("a page says nothing before its worker wrote, or when another version did") {
  const auto page = empty_page();
  CHECK_FALSE(read_page(*page, 0).known);
  begin_page(*page);
  CHECK(read_page(*page, 0).known);
  page->version = telemetry_version + 1;
  CHECK_FALSE(read_page(*page, 0).known);
}

TEST_CASE("a page that was left in the middle of an update is read as torn") {
  const auto page = empty_page();
  begin_page(*page);
  PlaceRecord place{};
  put(place.phase, "step");
  page->place.store(place);
  CHECK_FALSE(read_page(*page, 0).torn);
  reinterpret_cast<std::atomic<std::uint64_t>&>(page->place).fetch_add(1);  // the seqlock's sequence comes first
  const Telemetry torn = read_page(*page, 0);
  CHECK(torn.torn);
  CHECK(torn.phase == "step");
}

TEST_CASE("a page of garbage is read within its bounds") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto page = empty_page();
    auto* words = reinterpret_cast<std::atomic<std::uint64_t>*>(page.get());
    for (std::size_t i = 0; i < sizeof(TelemetryPage) / 8; ++i) words[i] = random();
    begin_page(*page);
    const Telemetry t = read_page(*page, 1);
    CHECK(t.known);
    CHECK(t.phase.size() <= 16);
    CHECK(t.call.shape.size() <= telemetry_dims);
    CHECK(t.call.sent.size() <= telemetry_split_ranks);
    CHECK(t.files.size() <= telemetry_files);
    RankSample sample{.telemetry = t};
    CHECK_NOTHROW(encode_sample(sample).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
}

TEST_CASE("the same call has the same fingerprint, whatever rows of it a rank has") {
  CallRecord call{.sequence = 5, .dims = 2, .shape = {10, 64}};
  put(call.operation, "all_to_all");
  put(call.dtype, "Float");
  put(call.place, "decoder halo");
  const std::uint64_t print = fingerprint_of(call);
  CallRecord other = call;
  other.shape[0] = 11;
  other.sent[0] = 3;
  CHECK(fingerprint_of(other) == print);
  const auto differs = [&](auto change) {
    CallRecord changed = call;
    change(changed);
    return fingerprint_of(changed) != print;
  };
  CHECK(differs([](CallRecord& c) { c.sequence = 6; }));
  CHECK(differs([](CallRecord& c) { c.shape[1] = 32; }));
  CHECK(differs([](CallRecord& c) { c.dims = 1; }));
  CHECK(differs([](CallRecord& c) { put(c.dtype, "Half"); }));
  CHECK(differs([](CallRecord& c) { put(c.operation, "barrier"); }));
  CHECK(differs([](CallRecord& c) { put(c.place, "encoder halo"); }));
}

TEST_CASE("a sample comes back from JSON as it was") {
  CHECK(decode_sample(encode_sample(example())) == example());
  CHECK(decode_sample(Json::parse(encode_sample(example()).dump())) == example());
  Json broken = encode_sample(example());
  broken["telemetry"].erase("tick");
  CHECK_THROWS_AS(decode_sample(broken), ProtocolError);
  broken["telemetry"]["tick"] = "many";
  CHECK_THROWS_AS(decode_sample(broken), ProtocolError);
}
