#include "worker/filters/accumulate.h"

#include <algorithm>
#include <iterator>

namespace tradewind::filters {

Accumulate::Accumulate(const config::AccumulateFromStart& config, const FilterContext& context)
    : allow_negative_(config.allow_negative) {
  const checkpoint::Metadata& metadata = context.metadata;
  if (config.accumulations) {
    const auto& names = *config.accumulations;
    std::copy_if(names.begin(), names.end(), std::back_inserter(variables_), [&](const std::string& name) {
      return std::find(metadata.output.begin(), metadata.output.end(), name) != metadata.output.end();
    });
    // A list for several models or datasets may name more than this one makes: the launcher has seen to those.
    return;
  }
  for (const auto& [name, variable] : metadata.variables)
    if (variable.accumulated()) variables_.push_back(name);
}

void Accumulate::apply(fields::State& state) {
  bool copied = false;
  for (const auto& name : variables_) {
    const auto found = std::find(state.variables.begin(), state.variables.end(), name);
    if (found == state.variables.end()) continue;
    if (!copied) state.values = state.values.clone();
    copied = true;
    at::Tensor field = state.values.select(0, found - state.variables.begin());
    at::Tensor& sum = sums_[name];
    if (!sum.defined()) sum = at::zeros_like(field);
    sum.add_(allow_negative_ ? field : field.clamp_min(0));
    field.copy_(sum);
    state.start_steps[name] = Duration::zero();
  }
}

void Accumulate::describe(fields::State& state) const {
  for (const auto& name : variables_)
    if (std::find(state.variables.begin(), state.variables.end(), name) != state.variables.end())
      state.start_steps[name] = Duration::zero();
}

}  // namespace tradewind::filters
