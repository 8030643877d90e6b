#include "worker/filters/extract.h"

#include <ATen/ATen.h>

#include "common/errors.h"

namespace tradewind::filters {

const Extract::Narrowed& Extract::narrowed(const std::shared_ptr<const fields::Grid>& grid) const {
  if (narrowed_.from == grid) return narrowed_;
  const std::int64_t points = grid->rows.total();
  check(points);
  std::vector<std::int64_t> counts, own;
  for (int rank = 0; rank < grid->rows.ranks(); ++rank) {
    std::vector<std::int64_t> kept = picked(grid->rows.range(rank), points);
    counts.push_back(static_cast<std::int64_t>(kept.size()));
    if (rank == rank_) own = std::move(kept);
  }
  fields::Grid to{fields::Rows(std::move(counts)), nullptr};
  if (to.rows.total() == 0)
    throw UserError("`" + at_.key + "` leaves none of the " + std::to_string(points) + " points", at_.where,
                    "keep some of them");
  if (grid->points) {
    auto kept = std::make_shared<fields::Points>();
    for (const std::int64_t row : own) {
      kept->latitudes.push_back(grid->points->latitudes.at(static_cast<std::size_t>(row)));
      kept->longitudes.push_back(grid->points->longitudes.at(static_cast<std::size_t>(row)));
    }
    to.points = std::move(kept);
  }
  narrowed_ = {grid, std::make_shared<const fields::Grid>(std::move(to)), at::tensor(own, at::kLong)};
  return narrowed_;
}

void Extract::apply(fields::State& state) {
  const Narrowed& to = narrowed(state.grid);
  state.values = state.values.index_select(1, to.rows);
  state.grid = to.grid;
}

}  // namespace tradewind::filters
