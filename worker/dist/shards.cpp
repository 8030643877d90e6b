#include "worker/dist/shards.h"

#include <algorithm>

#include "common/errors.h"

namespace tradewind::dist {

Shards::Shards(std::int64_t rows, int ranks) : rows_(rows), ranks_(ranks) {
  if (rows < 0 || ranks < 1)
    throw InternalFault("cannot split " + std::to_string(rows) + " rows over " + std::to_string(ranks) + " ranks");
}

RowRange Shards::range(int rank) const {
  const std::int64_t base = rows_ / ranks_, larger = rows_ % ranks_;
  const std::int64_t begin = base * rank + std::min<std::int64_t>(rank, larger);
  return {begin, begin + base + (rank < larger ? 1 : 0)};
}

int Shards::owner(std::int64_t row) const {
  if (row < 0 || row >= rows_) throw InternalFault("row " + std::to_string(row) + " of " + std::to_string(rows_));
  const std::int64_t base = rows_ / ranks_, larger = rows_ % ranks_, edge = larger * (base + 1);
  return static_cast<int>(row < edge ? row / (base + 1) : larger + (row - edge) / base);
}

std::vector<std::int64_t> Shards::sizes() const {
  std::vector<std::int64_t> all;
  all.reserve(static_cast<std::size_t>(ranks_));
  for (int rank = 0; rank < ranks_; ++rank) all.push_back(range(rank).size());
  return all;
}

}  // namespace tradewind::dist
