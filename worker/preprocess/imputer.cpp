#include "worker/preprocess/imputer.h"

#include <ATen/ATen.h>

#include <limits>
#include <string>
#include <utility>

#include "common/errors.h"

namespace tradewind::preprocess {
namespace {

void check(const std::optional<std::int64_t>& column, std::int64_t count) {
  if (!column || (*column >= 0 && *column < count)) return;
  throw UserError("an imputer names column " + std::to_string(*column) + " of " + std::to_string(count),
                  "pre_processors", "the checkpoint is damaged or of an unknown layout");
}

}  // namespace

Imputer::Imputer(checkpoint::ImputerDescription description, std::int64_t inputs, std::int64_t outputs)
    : description_(std::move(description)) {
  for (const auto& column : description_.columns) {
    for (const auto& input : {column.input, column.mask, column.copied_from}) check(input, inputs);
    check(column.output, outputs);
  }
}

at::Tensor Imputer::mask(const at::Tensor& first) const {
  at::Tensor out = at::zeros({first.size(0), mask_count()}, first.options().dtype(at::kBool));
  for (std::int64_t i = 0; i < mask_count(); ++i) {
    const auto& column = description_.columns[static_cast<std::size_t>(i)];
    if (column.mask) out.select(1, i).copy_(first.select(1, *column.mask).isnan());
  }
  return out;
}

void Imputer::forward(at::Tensor& rows, const at::Tensor& masks) const {
  for (std::int64_t i = 0; i < mask_count(); ++i) {
    const auto& column = description_.columns[static_cast<std::size_t>(i)];
    if (!column.input) continue;
    at::Tensor values = rows.select(1, *column.input);
    const at::Tensor missing = description_.masks_of_first_step ? masks.select(1, i) : values.isnan();
    if (!column.copied_from) {
      values.masked_fill_(missing, column.value);
      continue;
    }
    const at::Tensor source = rows.select(1, *column.copied_from);
    if (source.isnan().logical_and_(missing).any().item<bool>()) {
      throw UserError("missing values (NaN) where the imputer of input column " + std::to_string(*column.input) +
                          " copies from column " + std::to_string(*column.copied_from),
                      "input", "give a complete field for the variable that is copied");
    }
    values.copy_(at::where(missing, source, values));
  }
}

void Imputer::inverse(at::Tensor& rows, const at::Tensor& masks) const {
  for (std::int64_t i = 0; i < mask_count(); ++i) {
    const auto& column = description_.columns[static_cast<std::size_t>(i)];
    if (!column.output || !column.mask) continue;
    rows.select(1, *column.output).masked_fill_(masks.select(1, i), std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace tradewind::preprocess
