#include "worker/nn/input_rows.h"

#include <ATen/ATen.h>

#include <optional>

#include "common/checkpoint/input_columns.h"
#include "common/errors.h"
#include "worker/nn/move.h"
#include "worker/nn/output_rows.h"

namespace tradewind::nn {

using checkpoint::InputFeature;

InputLayout::InputLayout(const checkpoint::DatasetDescription& dataset) {
  for (const InputFeature feature : dataset.input_features) {
    parts_.push_back({feature, columns_});
    columns_ += checkpoint::columns_of(dataset, feature);
  }
  reads_residual_ = checkpoint::first_column(dataset, InputFeature::residual).has_value();
  if (!reads_residual_ || std::holds_alternative<checkpoint::TruncatedResidualDescription>(dataset.residual)) return;
  const auto variables = checkpoint::first_column(dataset, InputFeature::variables);
  const std::optional<std::int64_t> step = residual_step(dataset);
  if (!variables || !step) {
    throw UserError("the encoder is to read the residual, which there is none of", "model.residual",
                    "the checkpoint is damaged or of an unknown layout");
  }
  residual_ = at::tensor(dataset.prognostic_input, at::kLong).add(*variables + *step * dataset.input_variables);
}

void InputLayout::move_to(at::Device device) { move_part(residual_, device); }

void InputRows::rows(const at::Tensor& which, at::Tensor out) const { fill(which, 0, out); }

void InputRows::range(std::int64_t begin, std::int64_t, at::Tensor out) const { fill({}, begin, out); }

void InputRows::fill_variables(const at::Tensor& index, std::int64_t first, std::int64_t column,
                               at::Tensor& out) const {
  const std::int64_t steps = x_.size(0), variables = x_.size(2);
  if (const preprocess::Affine* affine = preprocessing_.forward_affine()) {
    for (std::int64_t step = 0; step < steps; ++step) {
      operations_.copy_rows(x_.select(0, step), index, first, affine, out, column + step * variables);
    }
    return;
  }
  const auto pick = [&](const at::Tensor& table) {
    return index.defined() ? table.index_select(0, index) : table.narrow(0, first, out.size(0)).clone();
  };
  at::Tensor masks;
  if (preprocessing_.has_masks()) masks = preprocessing_.masks(pick(x_.select(0, 0)));
  for (std::int64_t step = 0; step < steps; ++step) {
    at::Tensor values = pick(x_.select(0, step));
    preprocessing_.forward(values, masks);
    out.narrow(1, column + step * variables, variables).copy_(values);
  }
}

void InputRows::fill_part(const InputLayout::Part& part, const at::Tensor& index, std::int64_t first,
                          at::Tensor& out) const {
  switch (part.feature) {
    case InputFeature::variables:
      return fill_variables(index, first, part.column, out);
    case InputFeature::target:
      if (!target_.defined()) throw InternalFault("a network that is asked about nothing");
      return operations_.copy_rows(target_, index, first, nullptr, out, part.column);
    case InputFeature::node_attributes:
      return operations_.copy_rows(attributes_, index, first, nullptr, out, part.column);
    case InputFeature::forecast_step:
      out.select(1, part.column).fill_(forecast_step_);
      return;
    case InputFeature::residual:  // that which is in the variables comes after them
      if (skip_.defined()) operations_.copy_rows(skip_, index, first, nullptr, out, part.column);
      return;
  }
}

void InputRows::fill(const at::Tensor& index, std::int64_t first, at::Tensor& out) const {
  for (const InputLayout::Part& part : layout_.parts()) fill_part(part, index, first, out);
  if (!layout_.residual().defined()) return;
  for (const InputLayout::Part& part : layout_.parts()) {
    if (part.feature != InputFeature::residual) continue;
    out.narrow(1, part.column, layout_.residual().size(0)).copy_(out.index_select(1, layout_.residual()));
  }
}

}  // namespace tradewind::nn
