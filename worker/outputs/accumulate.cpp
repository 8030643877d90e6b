#include "worker/outputs/accumulate.h"

#include <algorithm>

namespace tradewind::outputs {

Accumulate::Accumulate(const config::AccumulateFromStart& config, const checkpoint::Metadata& metadata)
    : allow_negative_(config.allow_negative) {
  if (config.accumulations) {
    variables_ = *config.accumulations;
    return;
  }
  for (const auto& [name, variable] : metadata.variables)
    if (variable.accumulated()) variables_.push_back(name);
}

void Accumulate::operator()(State& state) {
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

}  // namespace tradewind::outputs
