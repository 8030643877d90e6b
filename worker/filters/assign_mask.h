// Post-processor assign_mask: puts a state's points where a mask of a larger grid is true, and a value elsewhere.
#pragma once

#include <memory>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

// A rank has the larger grid's rows from the place of its first point to that of the next rank's.
class AssignMask : public Filter {
 public:
  AssignMask(const config::AssignMask& config, const FilterContext& context);
  void describe(fields::State& state) const override { state.grid = widened(state.grid).grid; }
  void apply(fields::State& state) override;
  bool keeps_nothing() const override { return true; }

 private:
  struct Widened {
    std::shared_ptr<const fields::Grid> from, grid;
    at::Tensor rows;  // where this rank's points go, among its rows of the larger grid
  };
  const Widened& widened(const std::shared_ptr<const fields::Grid>& grid) const;

  config::AssignMask config_;
  int rank_;
  std::int64_t size_;                 // of the larger grid
  std::vector<std::int64_t> places_;  // of each point in it
  mutable Widened widened_;           // of the grid that came last
};

}  // namespace tradewind::filters
