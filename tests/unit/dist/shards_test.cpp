#include "worker/dist/shards.h"

#include <doctest/doctest.h>

using tradewind::dist::RowRange;
using tradewind::dist::Shards;

TEST_CASE("shards cover every row once, larger shards first") {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    for (std::int64_t rows = 0; rows <= 25; ++rows) {
      const Shards shards(rows, ranks);
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const RowRange range = shards.range(rank);
        CHECK(range.begin == next);
        CHECK(range.size() == rows / ranks + (rank < rows % ranks ? 1 : 0));
        for (std::int64_t row = range.begin; row < range.end; ++row) CHECK(shards.owner(row) == rank);
        next = range.end;
      }
      CHECK(next == rows);
    }
  }
}
