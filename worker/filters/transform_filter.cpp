#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "common/errors.h"
#include "worker/filters/transform.h"

namespace tradewind::filters {

TransformFilter::TransformFilter(const config::ForwardTransform& config, const FilterContext& context)
    : transform_(config.transform, false, config.at, context), skip_initial_state_(config.skip_initial_state) {}

TransformFilter::TransformFilter(const config::BackwardTransform& config, const FilterContext& context)
    : transform_(config.transform, true, config.at, context), skip_initial_state_(config.skip_initial_state) {}

void TransformFilter::change(fields::State& state) const {
  if (transform_.idle() || (skip_initial_state_ && state.step == Duration::zero())) return;
  Fields fields;
  for (std::size_t i = 0; i < state.variables.size(); ++i) {
    auto [param, level] = transform_.names().identity_of(state.variables[i]);
    Field field{.variable = state.variables[i], .param = std::move(param), .level = std::move(level)};
    if (state.values.defined()) field.values = state.values[static_cast<std::int64_t>(i)];
    if (const auto start = state.start_steps.find(state.variables[i]); start != state.start_steps.end())
      field.start_step = start->second;
    fields.push_back(std::move(field));
  }
  transform_.apply(fields, &state.grid->rows);
  state.variables.clear();
  state.start_steps.clear();
  std::vector<at::Tensor> values;
  for (Field& field : fields) {
    if (std::find(state.variables.begin(), state.variables.end(), field.variable) != state.variables.end())
      throw UserError("`" + transform_.at().key + "` gives two fields the name " + field.variable,
                      transform_.at().where, "let each have a name of its own");
    state.variables.push_back(field.variable);
    if (field.start_step) state.start_steps[field.variable] = *field.start_step;
    values.push_back(std::move(field.values));
  }
  if (!state.values.defined()) return;
  state.values = values.empty() ? state.values.slice(0, 0, 0) : at::stack(values);
}

}  // namespace tradewind::filters
