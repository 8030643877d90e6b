#include "worker/nn/output_rows.h"

#include <ATen/ATen.h>

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

std::optional<std::int64_t> residual_step(const checkpoint::DatasetDescription& dataset) {
  const auto* skip = std::get_if<checkpoint::SkipResidualDescription>(&dataset.residual);
  if (!skip) return std::nullopt;
  const std::int64_t step = skip->step < 0 ? skip->step + dataset.input_steps : skip->step;
  if (step >= 0 && step < dataset.input_steps) return step;
  throw UserError("the residual is taken from input step " + std::to_string(skip->step) + " of " +
                      std::to_string(dataset.input_steps),
                  "model.residual");
}

OutputRows::OutputRows(const checkpoint::DatasetDescription& dataset, const preprocess::Preprocessing& preprocessing)
    : preprocessing_(preprocessing) {
  check_columns(dataset.prognostic_input, dataset.input_variables, "the residual's input");
  check_columns(dataset.prognostic_output, dataset.output_variables, "the residual's output");
  if (dataset.prognostic_input.size() != dataset.prognostic_output.size()) {
    throw UserError("the residual's input and output columns differ in number", "model",
                    "the checkpoint is damaged or of an unknown layout");
  }
  prognostic_input_ = at::tensor(dataset.prognostic_input, at::kLong);
  prognostic_output_ = at::tensor(dataset.prognostic_output, at::kLong);
  for (const auto& bounding : dataset.boundings) boundings_.emplace_back(bounding, dataset.output_variables);
  residual_step_ = residual_step(dataset).value_or(-1);
}

void OutputRows::move_to(at::Device device) {
  prognostic_input_ = prognostic_input_.to(device);
  prognostic_output_ = prognostic_output_.to(device);
  for (preprocess::Bounding& bounding : boundings_) bounding.move_to(device);
}

void OutputRows::operator()(const at::Tensor& decoded, std::int64_t first, const at::Tensor& x,
                            const at::Tensor& truncated, at::Tensor& y, const Operations& operations) const {
  const std::int64_t steps = y.size(0), rows = decoded.size(0), variables = y.size(2);
  const at::Tensor masks = preprocessing_.masks(x.select(0, 0).narrow(0, first, rows));
  const preprocess::Affine* affine = preprocessing_.forward_affine();
  at::Tensor skip;  // on the prognostic columns of the output
  if (truncated.defined()) skip = truncated.narrow(0, first, rows);
  if (residual_step_ >= 0 && !affine) {
    at::Tensor state = x.select(0, residual_step_).narrow(0, first, rows).clone();
    preprocessing_.forward(state, masks);
    skip = state.index_select(1, prognostic_input_);
  }
  for (std::int64_t step = 0; step < steps; ++step) {
    at::Tensor out = y.select(0, step).narrow(0, first, rows);
    out.copy_(decoded.narrow(1, step * variables, variables));
    if (skip.defined()) out.index_add_(1, prognostic_output_, skip);
    if (residual_step_ >= 0 && affine) {
      operations.add_scaled_columns(x.select(0, residual_step_).narrow(0, first, rows), *affine, prognostic_input_,
                                    prognostic_output_, out);
    }
    for (const preprocess::Bounding& bounding : boundings_) bounding(out);
    preprocessing_.inverse(out, masks);
  }
}

}  // namespace tradewind::nn
