#include "worker/preprocess/bounding.h"

#include <ATen/ATen.h>

#include <string>

#include "common/errors.h"

namespace tradewind::preprocess {
namespace {

void check(std::int64_t column, std::int64_t variables) {
  if (column >= 0 && column < variables) return;
  throw UserError("a bounding names column " + std::to_string(column) + " of " + std::to_string(variables), "model",
                  "the checkpoint is damaged or of an unknown layout");
}

}  // namespace

Bounding::Bounding(const checkpoint::BoundingDescription& description, std::int64_t variables)
    : description_(description) {
  const auto& columns = std::visit(
      [](const auto& one) -> const auto& { return one.columns; }, description_);
  for (const std::int64_t column : columns) check(column, variables);
  columns_ = at::tensor(columns, at::kLong);
  if (const auto* relu = std::get_if<checkpoint::ReluBoundingDescription>(&description_)) {
    if (!relu->thresholds.empty()) thresholds_ = at::tensor(relu->thresholds, at::kFloat);
  } else if (const auto total = std::get<checkpoint::HardtanhBoundingDescription>(description_).total) {
    check(*total, variables);
  }
}

void Bounding::move_to(at::Device device) {
  columns_ = columns_.to(device);
  if (thresholds_.defined()) thresholds_ = thresholds_.to(device);
}

void Bounding::operator()(at::Tensor& rows) const {
  at::Tensor x = rows.index_select(1, columns_);
  if (const auto* relu = std::get_if<checkpoint::ReluBoundingDescription>(&description_)) {
    if (thresholds_.defined()) x.sub_(thresholds_);
    if (relu->slope == 0) {
      x.relu_();
    } else {
      at::leaky_relu_(x, relu->slope);
    }
    if (thresholds_.defined()) x.add_(thresholds_);
  } else {
    const auto& limits = std::get<checkpoint::HardtanhBoundingDescription>(description_);
    const at::Tensor clamped = x.clamp(limits.minimum, limits.maximum);
    if (limits.slope == 0) {
      x = clamped;
    } else {
      const at::Tensor below = x.sub(limits.minimum).mul_(limits.slope).add_(limits.minimum);
      const at::Tensor above = x.sub(limits.maximum).mul_(limits.slope).add_(limits.maximum);
      x = at::where(x.gt(limits.maximum), above, at::where(x.lt(limits.minimum), below, clamped));
    }
    // its own column may be among the bounded ones: what counts is the bounded value
    if (limits.total) {
      rows.index_copy_(1, columns_, x);
      x = x.mul(rows.narrow(1, *limits.total, 1));
    }
  }
  rows.index_copy_(1, columns_, x);
}

}  // namespace tradewind::preprocess
