#include "worker/fields/rows.h"

#include <algorithm>
#include <numeric>

#include "common/errors.h"

namespace tradewind::fields {

Rows::Rows(std::vector<std::int64_t> counts) : counts_(std::move(counts)), begins_(counts_.size() + 1, 0) {
  if (counts_.empty() || std::any_of(counts_.begin(), counts_.end(), [](std::int64_t count) { return count < 0; }))
    throw InternalFault("rows of " + std::to_string(counts_.size()) + " ranks, none less than 0");
  std::partial_sum(counts_.begin(), counts_.end(), begins_.begin() + 1);
}

dist::RowRange Rows::range(int rank) const {
  const auto i = static_cast<std::size_t>(rank);
  return {begins_.at(i), begins_.at(i + 1)};
}

}  // namespace tradewind::fields
