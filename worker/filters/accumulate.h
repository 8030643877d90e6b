// Post-processor accumulate_from_start_of_forecast: turns what falls in a step into what fell since the start.
// Keeps one running field per variable, for this rank's rows.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "worker/filters/filter.h"

namespace tradewind::filters {

class Accumulate : public Filter, public KeepsFields {
 public:
  // Without a list: every variable whose process is accumulation. UserError for a variable that the model does not
  // make.
  Accumulate(const config::AccumulateFromStart& config, const FilterContext& context);
  // Says where these variables start.
  void describe(fields::State& state) const override;
  // Replaces the values by the sums so far, negative values counting as 0 unless allowed, and says that these variables
  // start at step 0.
  void apply(fields::State& state) override;

  std::map<std::string, at::Tensor> kept() const override { return sums_; }
  void take_up(std::map<std::string, at::Tensor> kept) override { sums_ = std::move(kept); }

 private:
  std::vector<std::string> variables_;
  bool allow_negative_;
  std::map<std::string, at::Tensor> sums_;
};

}  // namespace tradewind::filters
