// Random numbers of a whole field that no rank holds whole: torch's own bits, whatever the rows and the pieces.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <vector>

#include "common/errors.h"
#include "tests/unit/sampling/reference.h"
#include "worker/dist/shards.h"
#include "worker/nn/drawn_rows.h"

using namespace tradewind;

namespace {

at::Generator seeded(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }

at::Tensor drawn(at::ScalarType type, std::int64_t steps, std::int64_t rows, std::int64_t columns,
                 std::int64_t piece = 16) {
  return nn::drawn_rows(seeded(11), type, steps, rows, columns, {0, rows}, piece);
}

at::Tensor expected(const std::vector<double>& numbers, std::int64_t steps, std::int64_t rows, std::int64_t columns,
                    at::ScalarType type) {
  return nn::own_rows(at::tensor(numbers, at::kDouble).to(type).view({steps, rows, columns}), {0, rows});
}

}  // namespace

TEST_CASE("the reference's random numbers") {
  CHECK(at::allclose(drawn(at::kFloat, 3, 11, 5), expected(reference::drawn_float_165, 3, 11, 5, at::kFloat), 1e-6,
                     1e-7));
  CHECK(at::allclose(drawn(at::kDouble, 3, 11, 5), expected(reference::drawn_double_165, 3, 11, 5, at::kDouble), 1e-13,
                     1e-14));
  CHECK(at::allclose(drawn(at::kFloat, 1, 2, 3), expected(reference::drawn_float_6, 1, 2, 3, at::kFloat), 1e-6, 1e-7));
}

TEST_CASE("own rows drawn by pieces are those of the field drawn at once, bit by bit") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const std::int64_t rows : {1, 3, 7, 16, 33, 100}) {
      for (const std::int64_t steps : {1, 2, 3}) {
        for (const int ranks : {1, 2, 3, 7}) {
          const std::int64_t columns = 5;
          const at::Generator whole = seeded(3);
          const at::Tensor field = at::randn({steps, rows, columns}, whole, type);
          const at::Tensor after = at::randn({20}, whole, at::kFloat);
          const dist::Shards shards(rows, ranks);
          for (int rank = 0; rank < ranks; ++rank) {
            for (const std::int64_t piece : {16, 48, 1 << 20}) {
              const at::Generator random = seeded(3);
              const at::Tensor own = nn::drawn_rows(random, type, steps, rows, columns, shards.range(rank), piece);
              CHECK(at::equal(own, nn::own_rows(field, shards.range(rank))));
              CHECK(at::equal(at::randn({20}, random, at::kFloat), after));  // the generator stands where it would
            }
          }
        }
      }
    }
  }
}

TEST_CASE("numbers of no generator are a fault") {
  CHECK_THROWS_AS(nn::drawn_rows({}, at::kFloat, 1, 2, 3, {0, 2}), InternalFault);
}
