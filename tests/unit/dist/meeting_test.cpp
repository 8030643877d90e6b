// What ranks tell each other where they gather.
#include "worker/dist/meeting.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "tests/unit/dist/ranks.h"

using namespace tradewind;

namespace {

std::vector<dist::Meeting> meetings(int ranks, c10d::Store& store) {
  std::vector<dist::Meeting> all(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  threads.reserve(all.size());
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back(
        [&, rank] { all[static_cast<std::size_t>(rank)] = dist::meet(testing::rendezvous_of(rank, ranks), store); });
  for (std::thread& thread : threads) thread.join();
  return all;
}

}  // namespace

TEST_CASE("each rank expects of each other what that shows to it, and to nobody else") {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const auto all = meetings(5, *store);
  std::set<std::string> different;
  for (std::size_t from = 0; from < all.size(); ++from) {
    REQUIRE(all[from].shown.size() == 5);
    REQUIRE(all[from].expected.size() == 5);
    for (std::size_t to = 0; to < all.size(); ++to) {
      CHECK(all[from].shown[to].size() == dist::proof_bytes);
      CHECK((all[from].shown[to] == all[to].expected[from]));
      different.insert(all[from].shown[to]);
    }
  }
  CHECK(different.size() == 25);
  const auto again = meetings(2, *c10::make_intrusive<c10d::HashStore>());
  CHECK_FALSE(different.contains(again[0].shown[1]));  // another run's are others
}

TEST_CASE("what a rank puts into the store does not grow with the ranks") {
  for (const int ranks : {2, 12}) {
    const auto store = c10::make_intrusive<c10d::HashStore>();
    meetings(ranks, *store);
    for (int rank = 0; rank < ranks; ++rank)
      CHECK(store->get("tradewind/address/" + std::to_string(rank)).size() == 32 + std::string("127.0.0.1").size());
  }
}
