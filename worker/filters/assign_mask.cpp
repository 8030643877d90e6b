#include "worker/filters/assign_mask.h"

#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/filters/mask.h"

namespace tradewind::filters {

AssignMask::AssignMask(const config::AssignMask& config, const FilterContext& context)
    : config_(config), rank_(context.rank) {
  const std::vector<bool> mask = read_mask(config.mask, context, config.mask_at);
  size_ = static_cast<std::int64_t>(mask.size());
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) places_.push_back(static_cast<std::int64_t>(i));
}

const AssignMask::Widened& AssignMask::widened(const std::shared_ptr<const fields::Grid>& grid) const {
  if (widened_.from == grid) return widened_;
  const fields::Rows& rows = grid->rows;
  if (rows.total() != static_cast<std::int64_t>(places_.size()))
    throw UserError("`" + config_.at.key + "`: the mask '" + config_.mask + "' has room for " +
                        std::to_string(places_.size()) + " points, the state has " + std::to_string(rows.total()),
                    config_.at.where, "use the mask that fits what comes to this post-processor");
  // Where each rank begins; who has no point gets no row, the last one what is left.
  std::vector<std::int64_t> begins(static_cast<std::size_t>(rows.ranks()) + 1, size_);
  for (int rank = rows.ranks() - 1; rank >= 0; --rank) {
    const auto i = static_cast<std::size_t>(rank);
    const dist::RowRange range = rows.range(rank);
    begins[i] = rank == 0 ? 0 : range.size() == 0 ? begins[i + 1] : places_[static_cast<std::size_t>(range.begin)];
  }
  std::vector<std::int64_t> counts, own;
  for (std::size_t rank = 0; rank + 1 < begins.size(); ++rank) counts.push_back(begins[rank + 1] - begins[rank]);
  fields::Grid to{fields::Rows(std::move(counts)), nullptr};
  const dist::RowRange range = rows.range(rank_), wide = to.rows.range(rank_);
  for (std::int64_t row = range.begin; row < range.end; ++row)
    own.push_back(places_[static_cast<std::size_t>(row)] - wide.begin);
  if (grid->points) {
    const auto count = static_cast<std::size_t>(wide.size());
    auto points = std::make_shared<fields::Points>(
        fields::Points{std::vector<double>(count, config_.fill_value), std::vector<double>(count, config_.fill_value)});
    for (std::size_t i = 0; i < own.size(); ++i) {
      points->latitudes[static_cast<std::size_t>(own[i])] = grid->points->latitudes.at(i);
      points->longitudes[static_cast<std::size_t>(own[i])] = grid->points->longitudes.at(i);
    }
    to.points = std::move(points);
  }
  widened_ = {grid, std::make_shared<const fields::Grid>(std::move(to)), at::tensor(own, at::kLong)};
  return widened_;
}

void AssignMask::apply(fields::State& state) {
  const Widened& to = widened(state.grid);
  at::Tensor values =
      at::full({state.values.size(0), to.grid->rows.range(rank_).size()}, config_.fill_value, at::kFloat);
  values.index_copy_(1, to.rows, state.values);
  state.values = values;
  state.grid = to.grid;
}

}  // namespace tradewind::filters
