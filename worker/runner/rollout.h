// How the state moves on between two model calls, and which lead times a forecast visits. Pure functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/dates.h"

namespace tradewind::runner {

// Model calls that reach `lead_time`; the last one may reach beyond.
int model_calls(Duration lead_time, Duration rollout_shift);

// Rows of time to copy: (from input row, to input row), then (from output row, to input row), in this order.
struct AdvanceMap {
  std::vector<std::pair<std::int64_t, std::int64_t>> input_to_input, output_to_input;
};
// The checkpoint's map with rows counted from the start. UserError for a row that the model does not have.
AdvanceMap advance_map(const checkpoint::TimeStepping& time, std::int64_t input_steps, std::int64_t output_steps);

// Moves x (input steps, rows, input variables) on in place, with the prognostic columns of
// y (output steps, rows, output variables). columns: (column of y, column of x). Other columns of the newest rows keep
// what they held. x and y are on one device.
void advance(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
             const std::vector<std::pair<std::int64_t, std::int64_t>>& columns);
// What it does of the output's rows off the CPU.
void advance_by_index(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
                      const std::vector<std::pair<std::int64_t, std::int64_t>>& columns);

}  // namespace tradewind::runner
