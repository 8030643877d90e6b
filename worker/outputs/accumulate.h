// Post-processor accumulate_from_start_of_forecast: turns what falls in a step into what fell since the start.
// Keeps one running field per variable, for this rank's rows. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "worker/outputs/output.h"

namespace tradewind::outputs {

class Accumulate {
 public:
  // Without a list: every variable whose process is accumulation. UserError for a variable that the model does not
  // make.
  Accumulate(const config::AccumulateFromStart& config, const checkpoint::Metadata& metadata);
  // Replaces the values by the sums so far, negative values counting as 0 unless allowed, and says that these variables
  // start at step 0. The state's tensor is replaced, not written into.
  void operator()(State& state);
  // Only says where these variables start, of a state without values.
  void describe(State& state) const;

  // The running fields (rows) by variable; for another attempt of the run to go on from.
  const std::map<std::string, at::Tensor>& sums() const { return sums_; }
  void resume(std::map<std::string, at::Tensor> sums) { sums_ = std::move(sums); }

 private:
  std::vector<std::string> variables_;
  bool allow_negative_;
  std::map<std::string, at::Tensor> sums_;
};

}  // namespace tradewind::outputs
