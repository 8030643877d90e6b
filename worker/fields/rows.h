// Which rank holds which rows of a grid: consecutive ranges in the order of the ranks, of any size. Plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/dist/shards.h"

namespace tradewind::fields {

class Rows {
 public:
  explicit Rows(std::vector<std::int64_t> counts);                     // of each rank
  explicit Rows(const dist::Shards& shards) : Rows(shards.sizes()) {}  // evenly
  std::int64_t total() const { return begins_.back(); }
  int ranks() const { return static_cast<int>(counts_.size()); }
  dist::RowRange range(int rank) const;
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  std::vector<std::int64_t> counts_, begins_;  // begins_: one more, the total
};

}  // namespace tradewind::fields
