#include "worker/nn/output_rows.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/errors.h"

namespace tradewind::nn {
namespace {

void check_columns(const std::vector<std::int64_t>& columns, std::int64_t count, const char* what) {
  for (const std::int64_t column : columns) {
    if (column < 0 || column >= count) {
      throw UserError(std::string(what) + " names column " + std::to_string(column) + " of " + std::to_string(count),
                      "model", "the checkpoint is damaged or of an unknown layout");
    }
  }
}

}  // namespace

OutputRows::OutputRows(const checkpoint::ModelDescription& model, const preprocess::Processors& processors)
    : processors_(processors),
      prognostic_input_(model.prognostic_input),
      prognostic_output_(model.prognostic_output),
      boundings_(model.boundings) {
  check_columns(prognostic_input_, model.input_variables, "the residual's input");
  check_columns(prognostic_output_, model.output_variables, "the residual's output");
  if (prognostic_input_.size() != prognostic_output_.size()) {
    throw UserError("the residual's input and output columns differ in number", "model",
                    "the checkpoint is damaged or of an unknown layout");
  }
  for (const auto& bounding : boundings_) {
    std::visit([&](const auto& one) { check_columns(one.columns, model.output_variables, "a bounding"); }, bounding);
  }
  if (const auto* skip = std::get_if<checkpoint::SkipResidualDescription>(&model.residual)) {
    residual_step_ = skip->step < 0 ? skip->step + model.input_steps : skip->step;
    if (residual_step_ < 0 || residual_step_ >= model.input_steps) {
      throw UserError("the residual is taken from input step " + std::to_string(skip->step) + " of " +
                          std::to_string(model.input_steps),
                      "model.residual");
    }
  }
}

// NaN stays NaN, as in the reference.
void OutputRows::bound(float* row) const {
  for (const auto& bounding : boundings_) {
    if (const auto* relu = std::get_if<checkpoint::ReluBoundingDescription>(&bounding)) {
      for (const std::int64_t column : relu->columns) row[column] = row[column] < 0 ? 0.0F : row[column];
    } else {
      const auto& hardtanh = std::get<checkpoint::HardtanhBoundingDescription>(bounding);
      const auto low = static_cast<float>(hardtanh.minimum), high = static_cast<float>(hardtanh.maximum);
      for (const std::int64_t column : hardtanh.columns) {
        row[column] = row[column] < low ? low : (row[column] > high ? high : row[column]);
      }
    }
  }
}

void OutputRows::operator()(const at::Tensor& decoded, std::int64_t first, const at::Tensor& x, at::Tensor& y) const {
  const std::int64_t steps = y.size(0), rows = y.size(1), variables = y.size(2), inputs = x.size(2);
  const float* from = decoded.const_data_ptr<float>();
  const float* state = residual_step_ >= 0 ? x.const_data_ptr<float>() + residual_step_ * rows * inputs : nullptr;
  auto* to = y.mutable_data_ptr<float>();
  at::parallel_for(0, decoded.size(0), 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> skip(static_cast<std::size_t>(inputs));
    for (std::int64_t i = begin; i < end; ++i) {
      if (state) processors_.forward(state + (first + i) * inputs, skip.data());
      for (std::int64_t step = 0; step < steps; ++step) {
        float* row = to + (step * rows + first + i) * variables;
        std::copy_n(from + (i * steps + step) * variables, variables, row);
        if (state) {
          for (std::size_t k = 0; k < prognostic_output_.size(); ++k) {
            row[prognostic_output_[k]] += skip[static_cast<std::size_t>(prognostic_input_[k])];
          }
        }
        bound(row);
        processors_.inverse(row);
      }
    }
  });
}

}  // namespace tradewind::nn
