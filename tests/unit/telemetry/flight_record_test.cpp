// What c10d's flight recorder holds, from the library through the worker's memory to the agent.
#include "worker/dist/flight_record.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/headeronly/version.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "common/errors.h"
#include "launcher/watch/page.h"
#include "tests/unit/dist/ranks.h"
#include "worker/telemetry/recorder.h"

using namespace tradewind;

namespace {

std::optional<std::string> answer(launcher::Page& page) {
  constexpr auto most = std::chrono::seconds(20);
  for (const auto until = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < until;) {
    if (auto text = page.record()) return text;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

bool wait_until_served(launcher::Page& page) {
  for (int i = 0; i < 20000; ++i) {
    if (page.ask_record()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("an entry is a line: number, operation, what goes in and out, how far it is") {
  // As LibTorch 2.15 writes it; the second as of NCCL.
  CHECK(dist::record_lines(R"({"version": "2.10", "entries": [
    {"collective_seq_id": 1, "p2p_seq_id": 0, "is_p2p": false, "profiling_name": "gloo:barrier", "state": "scheduled",
     "retired": true, "input_dtypes": [], "input_sizes": [], "output_dtypes": [], "output_sizes": []},
    {"collective_seq_id": 86, "p2p_seq_id": 3, "is_p2p": false, "profiling_name": "nccl:all_to_all",
     "state": "started", "retired": false, "input_dtypes": ["Float"], "input_sizes": [[120, 64]],
     "output_dtypes": ["Float", "Half"], "output_sizes": [[118, 64], [3]]},
    {"collective_seq_id": 86, "p2p_seq_id": 4, "is_p2p": true, "profiling_name": "nccl:send 0->1",
     "state": "scheduled", "retired": false, "input_dtypes": [], "input_sizes": [[5]], "output_dtypes": [],
     "output_sizes": []},
    {"collective_seq_id": 87, "p2p_seq_id": 4, "is_p2p": false, "profiling_name": "nccl:barrier",
     "state": "completed", "retired": false, "input_dtypes": [], "input_sizes": [], "output_dtypes": [],
     "output_sizes": []}]})") ==
        "1 gloo:barrier: - -> -, done\n"
        "86 nccl:all_to_all: Float (120, 64) -> Float (118, 64), Half (3), started, not done\n"
        "4 nccl:send 0->1: ? (5) -> -, not done\n"
        "87 nccl:barrier: - -> -, done\n");
  CHECK(dist::record_lines("{}").empty());
  CHECK_THROWS_AS(dist::record_lines("no JSON"), InternalFault);
  CHECK_THROWS_AS(dist::record_lines(R"({"entries": [1]})"), InternalFault);
}

TEST_CASE("the worker answers each question of its agent, with what can be said") {
  launcher::Page page;
  CHECK_FALSE(page.ask_record());
  {
    telemetry::Recorder recorder(page.descriptor());
    CHECK_FALSE(page.ask_record());
    int times = 0;
    recorder.tell_record([&] {
      if (++times == 3) throw std::runtime_error("broken");
      return times == 4 ? std::string(100000, 'x') : "answer " + std::to_string(times);
    });
    REQUIRE(wait_until_served(page));
    CHECK(answer(page) == "answer 1");
    for (const char* text : {"answer 2", "cannot be read: broken"}) {
      CHECK(page.ask_record());
      CHECK(answer(page) == text);
    }
    CHECK(page.ask_record());
    const auto cut = answer(page);
    REQUIRE(cut);
    CHECK(cut->size() == proto::flight_record_bytes - 16);
  }
  CHECK_FALSE(page.ask_record());
}

TEST_CASE("a worker that does not answer leaves no text") {
  launcher::Page page;
  telemetry::Recorder recorder(page.descriptor());
  std::atomic<bool> free = false;
  recorder.tell_record([&] {
    while (!free) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return std::string("late");
  });
  REQUIRE(wait_until_served(page));
  CHECK_FALSE(page.record());
  free = true;
  CHECK(answer(page) == "late");
}

#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 15
TEST_CASE("Gloo's collectives are in the record") {
  testing::run_ranks(2, [](dist::Communicator& ranks) {
    ranks.all_to_all(at::ones({6, 4}), {2, 4},
                     ranks.rank() == 0 ? std::vector<std::int64_t>{2, 2} : std::vector<std::int64_t>{4, 4}, "halo");
  });
  // Bytes are what Gloo moves: 6 rows of 4 floats.
  CHECK(dist::gloo_record().find("gloo:all_to_all: Byte (96) -> Byte (") != std::string::npos);
}
#endif
