// The seed of all ranks is rank 0's.
#include "worker/forecast/random_numbers.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "tests/unit/dist/ranks.h"

using namespace tradewind;

TEST_CASE("every rank has rank 0's seed") {
  for (const bool given : {true, false}) {
    testing::run_ranks(3, [&](dist::Communicator& communicator) {
      std::optional<std::int64_t> own;
      if (given) own = 41 + communicator.rank();
      const std::int64_t seed = forecast::share_seed(own, communicator);
      if (given) CHECK(seed == 41);
      const at::Tensor all = communicator.all_gather(at::tensor({seed}, at::kLong), {1, 1, 1}, "seeds");
      CHECK(at::equal(all, at::full({3}, seed, at::kLong)));
    });
  }
}

TEST_CASE("a seed's numbers are those of LibTorch's default generator, which stays as it was") {
  at::manual_seed(7);
  const at::Tensor expected = at::randn({5});
  at::manual_seed(8);
  const at::Tensor untouched = at::randn({3});
  at::manual_seed(8);
  at::Generator random = forecast::random_numbers(7);
  CHECK(at::equal(at::randn({5}, random, at::kFloat), expected));
  CHECK_FALSE(at::equal(at::randn({5}, random, at::kFloat), expected));  // it goes on
  CHECK(at::equal(at::randn({5}, forecast::random_numbers(7), at::kFloat), expected));
  CHECK(at::equal(at::randn({3}), untouched));
}
