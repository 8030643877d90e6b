#include "worker/filters/extract_slice.h"

#include <algorithm>

namespace tradewind::filters {

ExtractSlice::ExtractSlice(const config::ExtractSlice& config, const FilterContext& context)
    : Extract(context.rank, config.at), config_(config) {}

std::vector<std::int64_t> ExtractSlice::picked(const dist::RowRange& rows, std::int64_t points) const {
  const auto bound = [&](std::optional<std::int64_t> given, std::int64_t otherwise) {
    if (!given) return otherwise;
    return std::clamp<std::int64_t>(*given < 0 ? *given + points : *given, 0, points);
  };
  const std::int64_t start = bound(config_.start, 0), stop = std::min(bound(config_.stop, points), rows.end);
  const std::int64_t step = std::min(config_.step, points + 1);
  // The first of start, start + step, ... that is one of these rows.
  const std::int64_t steps = std::max<std::int64_t>(0, (rows.begin - start + step - 1) / step);
  std::vector<std::int64_t> kept;
  for (std::int64_t row = start + steps * step; row < stop; row += step) kept.push_back(row - rows.begin);
  return kept;
}

}  // namespace tradewind::filters
