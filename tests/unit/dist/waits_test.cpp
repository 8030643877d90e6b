// What of a collective's time was waiting for late peers.
#include "worker/dist/waits.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "tests/unit/dist/ranks.h"

using namespace tradewind::dist;

TEST_CASE("a rank waits until the last one has made the call, at most as long as it stood still") {
  Waits waits;
  waits.add("encoder halo", 1.0, 1.0, 0.5);    // the last rank came at 1.25
  waits.add("processor 0", 2.0, 2.0, 0.125);   // this rank was the last
  waits.add("processor 1", 3.0, 3.5, 0.25);    // rows were in flight for 0.5 s; the last rank came meanwhile
  waits.add("processor 2", 4.0, 4.0, 0.0625);  // the peers it needs came before the last one
  CHECK(waits.made() == std::vector<double>{1, 2, 3, 4});
  Statistics statistics;
  statistics.add("encoder halo", {.calls = 1, .seconds = 0.5});
  waits.settle(std::vector<double>{1.25, 2.0, 3.25, 7.0}, statistics);
  CHECK(statistics.by_phase().at("encoder").waiting == 0.25);
  CHECK(statistics.by_phase().at("encoder").calls == 1);
  CHECK(statistics.by_phase().at("processor").waiting == 0.0625);
  CHECK(waits.calls() == 0);
}

TEST_CASE("who comes late makes the others wait, and does not wait itself") {
  tradewind::testing::run_ranks(3, [](Communicator& communicator) {
    communicator.barrier("before");
    if (communicator.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    communicator.barrier("late");
    communicator.settle_waits();
    const Traffic traffic = communicator.statistics().by_place().at("late");
    CHECK(traffic.waiting <= traffic.seconds);
    // 0.3 s less what the ranks' ways out of the first barrier differ by.
    if (communicator.rank() != 1) CHECK(traffic.waiting > 0.15);
    if (communicator.rank() == 1) CHECK(traffic.waiting < 0.15);
  });
}

TEST_CASE("of several halos of a phase the largest counts") {
  Statistics statistics;
  statistics.plan("processor plan", {10, 4});
  statistics.plan("processor plan", {10, 7});
  statistics.plan("processor plan", {10, 2});
  statistics.plan("encoder plan", {5, 0});
  CHECK(statistics.rows().at("processor").halo == 7);
  CHECK(statistics.rows().at("encoder").own == 5);
}
