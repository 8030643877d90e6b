// How a model's input moves on between two calls. Pure functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "common/checkpoint/metadata.h"

namespace tradewind::forecast {

// Rows of time to copy: (from input row, to input row), then (from output row, to input row), in this order.
struct AdvanceMap {
  std::vector<std::pair<std::int64_t, std::int64_t>> input_to_input, output_to_input;
  bool operator==(const AdvanceMap&) const = default;
};
// The checkpoint's map with rows counted from the start. UserError for a row that the model does not have.
AdvanceMap advance_map(const checkpoint::TimeStepping& time, std::int64_t input_steps, std::int64_t output_steps);

// Moves x (input steps, rows, input variables) on in place, with the prognostic columns of
// y (output steps, rows, output variables). columns: (column of y, column of x). Other columns of the newest rows keep
// what they held. x and y are on one device; without columns y is not looked at.
void advance(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
             const std::vector<std::pair<std::int64_t, std::int64_t>>& columns);
// What it does of the output's rows off the CPU.
void advance_by_index(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
                      const std::vector<std::pair<std::int64_t, std::int64_t>>& columns);

// Writes fields (variables, rows) of one date into columns of row `time` of x.
void put_columns(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns, const at::Tensor& fields);
// The same as it is done off the CPU.
void put_columns_by_index(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns,
                          const at::Tensor& fields);

}  // namespace tradewind::forecast
