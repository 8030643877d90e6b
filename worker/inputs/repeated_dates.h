// What another input has at one date, for every date that is asked for: a climatology, a bathymetry.
#pragma once

#include <memory>

#include "worker/inputs/input.h"

namespace tradewind::inputs {

class RepeatedDates : public Input {
 public:
  RepeatedDates(const config::RepeatedDatesConfig& config, const InputContext& context);
  std::optional<Time> latest_date() override { return std::nullopt; }  // any date is as good as another
  std::optional<GridPoints> grid_points(std::int64_t count) override { return source_->grid_points(count); }
  bool has_real_grid() const override { return source_->has_real_grid(); }
  void expect(std::shared_ptr<ExpectedGrid> grid) override { source_->expect(std::move(grid)); }
  std::vector<std::string> take_warnings() override { return source_->take_warnings(); }
  // One date is read; the others are views of it.
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
  std::vector<Input*> sources() override { return {source_.get()}; }

 private:
  Time date_;
  std::unique_ptr<Input> source_;
};

}  // namespace tradewind::inputs
