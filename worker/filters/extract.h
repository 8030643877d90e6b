// What the filters that keep some of a grid's points share. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

// Keeps the points that a derived class picks, in their order. The new grid is made once for each that comes in,
// without a word between ranks: every rank knows how many points each other one keeps.
class Extract : public Filter {
 public:
  void describe(fields::State& state) const override { state.grid = narrowed(state.grid).grid; }
  void apply(fields::State& state) override;
  bool keeps_nothing() const override { return true; }

 protected:
  Extract(int rank, config::Origin at) : rank_(rank), at_(std::move(at)) {}
  // Whether the filter can be used on a grid of so many points; UserError when not.
  virtual void check(std::int64_t /*points*/) const {}
  // Of these rows of a grid of `points` rows those that are kept, ascending, counted from rows.begin.
  virtual std::vector<std::int64_t> picked(const dist::RowRange& rows, std::int64_t points) const = 0;
  const config::Origin& at() const { return at_; }

 private:
  struct Narrowed {
    std::shared_ptr<const fields::Grid> from, grid;
    at::Tensor rows;  // kept ones of this rank's
  };
  const Narrowed& narrowed(const std::shared_ptr<const fields::Grid>& grid) const;

  int rank_;
  config::Origin at_;
  mutable Narrowed narrowed_;  // of the grid that came last
};

}  // namespace tradewind::filters
