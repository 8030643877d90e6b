#include "worker/filters/extract_mask.h"

#include <algorithm>

#include "common/errors.h"
#include "worker/filters/mask.h"

namespace tradewind::filters {

ExtractMask::ExtractMask(const config::ExtractMask& config, const FilterContext& context)
    : Extract(context.rank, config.at),
      config_(config),
      mask_(read_mask(config.mask, context, config.mask_at)),
      count_(std::count(mask_.begin(), mask_.end(), true)) {
  if (config_.as_slice) mask_ = {};  // only their number counts
}

void ExtractMask::check(std::int64_t points) const {
  const auto size = static_cast<std::int64_t>(mask_.size());
  if (config_.as_slice ? count_ <= points : size == points) return;
  throw UserError("`" + at().key + "`: the mask '" + config_.mask + "' " +
                      (config_.as_slice ? "keeps " + std::to_string(count_) : "is of " + std::to_string(size)) +
                      " points, the state has " + std::to_string(points),
                  at().where, "use a mask of the grid that comes to this post-processor");
}

std::vector<std::int64_t> ExtractMask::picked(const dist::RowRange& rows, std::int64_t /*points*/) const {
  std::vector<std::int64_t> kept;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const bool in = config_.as_slice ? row < count_ : mask_[static_cast<std::size_t>(row)];
    if (in != config_.inverse) kept.push_back(row - rows.begin);
  }
  return kept;
}

}  // namespace tradewind::filters
