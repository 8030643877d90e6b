// A filter of anemoi-transform in one direction, on a list of fields: those of an input on their way to the model, or a
// state's on their way to an output. In the type that the values have: float64 out of GRIB, float32 out of a model.
// Fields that it does not mean keep their places. Errors: UserError naming the filter's key.
#pragma once

#include <string>
#include <vector>

#include "common/checkpoint/field_names.h"
#include "common/config/filters/transforms.h"
#include "worker/fields/rows.h"
#include "worker/filters/field_list.h"
#include "worker/filters/filter.h"

namespace tradewind::filters {

class Transform {
 public:
  Transform(const config::TransformConfig& config, bool backward, config::Origin at, const FilterContext& context);
  // All fields that there are, with values or, where those are not there yet, without. `rows`: of the grid on which
  // they lie; null: it is not known. Returns how many of the fields were meant.
  std::size_t apply(Fields& fields, const fields::Rows* rows) const { return change(fields, {rows, true}); }
  // Some of those that apply() was shown without values: what is wanted, and all of which it is made (Field::of).
  void apply_to_some(Fields& fields, const fields::Rows& rows) const { change(fields, {&rows, false}); }
  bool idle() const { return std::holds_alternative<config::Noop>(config_); }
  const config::Origin& at() const { return at_; }
  const checkpoint::FieldNames& names() const { return names_; }

 private:
  struct Given {
    const fields::Rows* rows;
    bool all;
  };
  std::size_t change(Fields& fields, const Given& given) const;
  std::size_t change(Fields& fields, const Given& given, const config::CosSinMeanWaveDirection& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::ApplyMask& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::Rescale& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::ImputeNans& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::Rename& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::Clip& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::Drop& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::OrogToZ& config) const;
  std::size_t change(Fields& fields, const Given& given, const config::Noop& config) const;
  void direction_forward(Fields& fields, Field& from, const config::CosSinMeanWaveDirection& config) const;
  void direction_backward(Fields& fields, Fields& from, const config::CosSinMeanWaveDirection& config) const;
  at::Tensor take_mask(Fields& fields, const Given& given, const config::ApplyMask& config,
                       std::vector<std::size_t>& mask_of) const;
  void rename(Field& field, const std::string& param) const;

  config::TransformConfig config_;
  bool backward_;
  config::Origin at_;
  checkpoint::FieldNames names_;
  int rank_;
  std::vector<bool> mask_;  // of apply_mask with a file: where NaN goes
};

// Post-processors forward_transform_filter and backward_transform_filter.
class TransformFilter : public Filter {
 public:
  TransformFilter(const config::ForwardTransform& config, const FilterContext& context);
  TransformFilter(const config::BackwardTransform& config, const FilterContext& context);
  void describe(fields::State& state) const override { change(state); }
  void apply(fields::State& state) override { change(state); }
  bool keeps_nothing() const override { return true; }

 private:
  void change(fields::State& state) const;

  Transform transform_;
  bool skip_initial_state_;
};

}  // namespace tradewind::filters
