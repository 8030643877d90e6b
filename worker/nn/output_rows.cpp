#include "worker/nn/output_rows.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "common/errors.h"
#include "worker/nn/operations.h"

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
    : processors_(processors) {
  check_columns(model.prognostic_input, model.input_variables, "the residual's input");
  check_columns(model.prognostic_output, model.output_variables, "the residual's output");
  if (model.prognostic_input.size() != model.prognostic_output.size()) {
    throw UserError("the residual's input and output columns differ in number", "model",
                    "the checkpoint is damaged or of an unknown layout");
  }
  prognostic_input_ = at::tensor(model.prognostic_input, at::kLong);
  prognostic_output_ = at::tensor(model.prognostic_output, at::kLong);
  for (const auto& bounding : model.boundings) boundings_.emplace_back(bounding, model.output_variables);
  if (const auto* skip = std::get_if<checkpoint::SkipResidualDescription>(&model.residual)) {
    residual_step_ = skip->step < 0 ? skip->step + model.input_steps : skip->step;
    if (residual_step_ < 0 || residual_step_ >= model.input_steps) {
      throw UserError("the residual is taken from input step " + std::to_string(skip->step) + " of " +
                          std::to_string(model.input_steps),
                      "model.residual");
    }
  }
}

void OutputRows::move_to(at::Device device) {
  prognostic_input_ = prognostic_input_.to(device);
  prognostic_output_ = prognostic_output_.to(device);
  for (preprocess::Bounding& bounding : boundings_) bounding.move_to(device);
}

void OutputRows::add_residual(const preprocess::Affine& affine, const at::Tensor& state, at::Tensor& out) const {
  const std::int64_t inputs = state.size(1), outputs = out.size(1), columns = prognostic_input_.size(0);
  const std::int64_t *from = prognostic_input_.const_data_ptr<std::int64_t>(),
                     *to = prognostic_output_.const_data_ptr<std::int64_t>();
  const float *multiply = affine.multiply.const_data_ptr<float>(), *add = affine.add.const_data_ptr<float>();
  const float* x = state.const_data_ptr<float>();
  auto* y = out.mutable_data_ptr<float>();
  for (std::int64_t row = 0; row < out.size(0); ++row, x += inputs, y += outputs) {
    for (std::int64_t i = 0; i < columns; ++i) y[to[i]] += x[from[i]] * multiply[from[i]] + add[from[i]];
  }
}

void OutputRows::operator()(const at::Tensor& decoded, std::int64_t first, const at::Tensor& x, at::Tensor& y) const {
  const std::int64_t steps = y.size(0), rows = decoded.size(0), variables = y.size(2);
  const at::Tensor masks = processors_.masks(x.select(0, 0).narrow(0, first, rows));
  const preprocess::Affine* affine = on_cpu_kernels(x) ? processors_.forward_affine() : nullptr;
  at::Tensor skip;  // on the prognostic columns of the output
  if (residual_step_ >= 0 && !affine) {
    at::Tensor state = x.select(0, residual_step_).narrow(0, first, rows).clone();
    processors_.forward(state, masks);
    skip = state.index_select(1, prognostic_input_);
  }
  for (std::int64_t step = 0; step < steps; ++step) {
    at::Tensor out = y.select(0, step).narrow(0, first, rows);
    out.copy_(decoded.narrow(1, step * variables, variables));
    if (skip.defined()) out.index_add_(1, prognostic_output_, skip);
    if (residual_step_ >= 0 && affine) add_residual(*affine, x.select(0, residual_step_).narrow(0, first, rows), out);
    for (const preprocess::Bounding& bounding : boundings_) bounding(out);
    processors_.inverse(out, masks);
  }
}

}  // namespace tradewind::nn
