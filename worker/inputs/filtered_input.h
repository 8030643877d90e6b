// An input with filters behind it: what the model needs is made of what the input has. As in the reference, filters see
// every field at the dates that are asked for, in the order in which they are there, before any is chosen by its name;
// but only those of which something wanted is made are read, and in float64 only what a filter changes.
// Errors: UserError as of Input, and of the filters.
#pragma once

#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "worker/fields/rows.h"
#include "worker/filters/transform.h"
#include "worker/inputs/input.h"

namespace tradewind::inputs {

class FilteredInput : public Input {
 public:
  FilteredInput(std::unique_ptr<Input> input, const std::vector<config::PreProcessor>& configs,
                const InputContext& context);
  std::optional<Time> latest_date() override { return input_->latest_date(); }
  std::optional<GridPoints> grid_points(std::int64_t count) override { return input_->grid_points(count); }
  bool has_real_grid() const override { return input_->has_real_grid(); }
  void expect(std::shared_ptr<ExpectedGrid> grid) override { input_->expect(std::move(grid)); }
  void only_of(std::optional<Time> forecast) override { input_->only_of(forecast); }
  std::vector<std::string> take_warnings() override;
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
  std::vector<Input*> sources() override { return {input_.get()}; }
  std::string origin_of(const std::string& variable) const override;

 private:
  struct Mean {  // no_missing_values
    config::Origin at;
  };
  using Step = std::variant<filters::Transform, Mean>;
  struct Request;

  void describe(filters::Fields& fields);
  void choose(Request& request, const filters::Fields& described);
  void read_unchanged(const Request& request, at::Tensor& result);
  void read_changed(const Request& request, at::Tensor& result);
  void apply(filters::Fields& fields, const fields::Rows& grid);
  void fill_gaps(filters::Fields& fields);
  fields::Rows grid_of(const dist::RowRange& rows);

  std::unique_ptr<Input> input_;
  std::vector<Step> steps_;
  dist::Communicator& communicator_;
  std::map<std::string, std::string> origins_;  // of what was read
  std::vector<bool> means_something_;           // of each step
  bool described_ = false, warned_ = false;
};

}  // namespace tradewind::inputs
