#include "worker/forecast/advance.h"

#include <ATen/ATen.h>

#include "common/errors.h"

namespace tradewind::forecast {

AdvanceMap advance_map(const checkpoint::TimeStepping& time, std::int64_t input_steps, std::int64_t output_steps) {
  const auto row = [](std::int64_t index, std::int64_t steps) {
    if (index < -steps || index >= steps) {
      throw UserError("row " + std::to_string(index) + " of " + std::to_string(steps) + " time steps",
                      "advance_map of the checkpoint metadata");
    }
    return index < 0 ? index + steps : index;
  };
  AdvanceMap map;
  for (const auto& [from, to] : time.input_to_input) {
    map.input_to_input.emplace_back(row(from, input_steps), row(to, input_steps));
  }
  for (const auto& [from, to] : time.output_to_input) {
    map.output_to_input.emplace_back(row(from, output_steps), row(to, input_steps));
  }
  return map;
}

void advance_by_index(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
                      const std::vector<std::pair<std::int64_t, std::int64_t>>& columns) {
  std::vector<std::int64_t> output_columns, input_columns;
  for (const auto& [output_column, input_column] : columns) {
    output_columns.push_back(output_column);
    input_columns.push_back(input_column);
  }
  const at::Tensor picked = at::tensor(output_columns, at::kLong).to(x.device());
  const at::Tensor targets = at::tensor(input_columns, at::kLong).to(x.device());
  for (const auto& [from, to] : map.output_to_input) {
    x.select(0, to).index_copy_(1, targets, y.select(0, from).index_select(1, picked));
  }
}

void advance(at::Tensor& x, const at::Tensor& y, const AdvanceMap& map,
             const std::vector<std::pair<std::int64_t, std::int64_t>>& columns) {
  for (const auto& [from, to] : map.input_to_input) x.select(0, to).copy_(x.select(0, from));
  if (columns.empty()) return;
  if (!x.is_cpu()) {
    advance_by_index(x, y, map, columns);
    return;
  }
  const float* from_data = y.const_data_ptr<float>();
  float* to_data = x.mutable_data_ptr<float>();
  const std::int64_t rows = x.size(1), inputs = x.size(2), outputs = y.size(2);
  for (const auto& [from, to] : map.output_to_input) {
    const float* from_row = from_data + from * rows * outputs;
    float* to_row = to_data + to * rows * inputs;
    for (std::int64_t row = 0; row < rows; ++row, from_row += outputs, to_row += inputs) {
      for (const auto& [output_column, input_column] : columns) to_row[input_column] = from_row[output_column];
    }
  }
}

void put_columns_by_index(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns,
                          const at::Tensor& fields) {
  const at::Tensor dense = fields.contiguous();
  x.select(0, time).index_copy_(1, at::tensor(columns, at::kLong).to(x.device()), dense.to(x.device()).t());
}

void put_columns(at::Tensor& x, std::int64_t time, const std::vector<std::int64_t>& columns, const at::Tensor& fields) {
  if (!x.is_cpu()) {
    put_columns_by_index(x, time, columns, fields);
    return;
  }
  const std::int64_t rows = x.size(1), width = x.size(2);
  const at::Tensor dense = fields.contiguous();
  const float* from = dense.const_data_ptr<float>();
  float* to = x.mutable_data_ptr<float>() + time * rows * width;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::int64_t row = 0; row < rows; ++row) to[row * width + columns[i]] = from[i * rows + row];
  }
}

}  // namespace tradewind::forecast
