#include "worker/forecast/figures.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "tests/unit/dist/ranks.h"

using namespace tradewind;
using tradewind::forecast::Figures;

TEST_CASE("of one rank all seconds of steps are computing, and the output's those of writing and waiting") {
  const auto communicator = dist::make_single_communicator();
  Figures figures(*communicator);
  figures.begin_steps();
  figures.end_steps(12, 3);
  figures.output(5, {.bytes = 1000,
                     .encoding_seconds = 7,
                     .file_seconds = 2,
                     .blocked_seconds = 1,
                     .most_pending_bytes = 300,
                     .pending_limit_bytes = 400});
  const auto result = figures.result(42);
  CHECK(result["rows"] == 42);
  CHECK(result["bytes_sent_per_step"] == 0);
  CHECK(result["seconds"]["computing"] == 12);
  CHECK(result["seconds"]["communicating"] == 0);
  CHECK(result["seconds"]["waiting"] == 1);
  CHECK(result["seconds"]["writing"] == 4);
  CHECK(result["output"]["bytes"] == 1000);
  CHECK(result["output"]["encoding_seconds"] == 7);
  CHECK(result["output"]["most_pending_bytes"] == 300);
  CHECK(result["output"]["pending_limit_bytes"] == 400);
}

TEST_CASE("what ranks send is told per phase and per step, and its seconds are not computing") {
  testing::run_ranks(2, [&](dist::Communicator& communicator) {
    Figures figures(communicator);
    const auto exchange = [&](const char* what, std::int64_t rows) {
      (void)communicator.all_to_all(at::zeros({2 * rows, 4}, at::kFloat), {rows, rows}, {rows, rows}, what);
    };
    exchange("load edges", 100);  // before the steps
    figures.begin_steps();
    for (int step = 0; step < 2; ++step) exchange("encoder halo", 10);
    exchange("output fields", 5);
    figures.end_steps(1000, 2);
    const auto result = figures.result(7);
    // Of the rows, one half goes to the other rank: 16 bytes each.
    CHECK(result["traffic"]["encoder"]["calls"] == 2);
    CHECK(result["traffic"]["encoder"]["bytes_sent"] == 2 * 10 * 16);
    CHECK(result["traffic"]["output"]["bytes_sent"] == 5 * 16);
    CHECK(result["traffic"]["load"]["bytes_sent"] == 100 * 16);
    CHECK(result["bytes_sent_per_step"] == (2 * 10 * 16 + 5 * 16) / 2);
    const double encoder = result["traffic"]["encoder"]["seconds"];
    CHECK(encoder > 0);
    CHECK(result["seconds"]["computing"].get<double>() == doctest::Approx(1000 - encoder));
  });
}
