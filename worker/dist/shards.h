// How rows are split over ranks: consecutive ranges whose sizes differ by at most one, larger first. A rank may own no
// row at all. Plain values.
#pragma once

#include <cstdint>
#include <vector>

namespace tradewind::dist {

struct RowRange {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const RowRange&) const = default;
};

class Shards {
 public:
  Shards(std::int64_t rows, int ranks);
  std::int64_t rows() const { return rows_; }
  int ranks() const { return ranks_; }
  RowRange range(int rank) const;
  int owner(std::int64_t row) const;
  std::vector<std::int64_t> sizes() const;

 private:
  std::int64_t rows_;
  int ranks_;
};

}  // namespace tradewind::dist
