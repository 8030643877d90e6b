#include "worker/nn/conditional_norm.h"

#include <ATen/ATen.h>

#include <utility>

#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/move.h"

namespace tradewind::nn {

ConditionalNorm::ConditionalNorm(const checkpoint::NormDescription& description, Precision precision)
    : norm_(description) {
  if (!description.condition) return;
  scale_.emplace(description.condition->scale, precision);
  shift_.emplace(description.condition->shift, precision);
  if (scale_->outputs() != norm_.size() || shift_->outputs() != norm_.size()) {
    throw UserError("scale and shift of a conditional layer norm are not as wide as its rows",
                    description.condition->scale.weight.path, "the checkpoint is damaged or of an unknown layout");
  }
}

void ConditionalNorm::move_to(at::Device device) { move_all(device, norm_, scale_, shift_); }

void ConditionalNorm::with(const at::Tensor& condition, const at::Tensor& x, at::Tensor out,
                           Workspace& workspace) const {
  if (conditional() != condition.defined()) throw InternalFault("a norm and its condition do not fit each other");
  norm_(x, out, workspace);
  if (!conditional()) return;
  at::Tensor scale = workspace.take(Workspace::scale, out.size(0), out.size(1));
  (*scale_)(condition, scale, workspace);
  at::Tensor shift = workspace.take(Workspace::shift, out.size(0), out.size(1));
  (*shift_)(condition, shift, workspace);
  at::addcmul_out(out, shift, out, scale.add_(1));
}

void ConditionalNorm::with_same(const at::Tensor& condition, const at::Tensor& x, at::Tensor out,
                                Workspace& workspace) const {
  if (!conditional()) throw InternalFault("a norm and its condition do not fit each other");
  at::Tensor scale = workspace.take(Workspace::scale, 1, norm_.size());
  (*scale_)(condition, scale, workspace);
  at::Tensor shift = workspace.take(Workspace::shift, 1, norm_.size());
  (*shift_)(condition, shift, workspace);
  norm_.with(scale.add_(1).view({-1}), shift.view({-1}), x, std::move(out), workspace);
}

void ConditionalNorm::operator()(const at::Tensor& x, std::int64_t first, const RowSource* condition, at::Tensor out,
                                 Workspace& workspace) const {
  if (condition && condition->same()) return with_same(*condition->same(), x, std::move(out), workspace);
  at::Tensor rows;
  if (condition) {
    rows = workspace.take(Workspace::condition, x.size(0), condition->columns());
    condition->range(first, first + x.size(0), rows);
  }
  with(rows, x, std::move(out), workspace);
}

void NormalizedRows::range(std::int64_t begin, std::int64_t end, at::Tensor out) const {
  norm_(own_.slice(0, begin, end), begin, condition_, std::move(out), workspace_);
}

void NormalizedRows::rows(const at::Tensor& which, at::Tensor out) const {
  const std::int64_t chunk = chunk_rows(columns(), out.size(0), out.device());
  for_each_chunk(out.size(0), chunk, workspace_, [&](std::int64_t begin, std::int64_t count) {
    const at::Tensor index = which.narrow(0, begin, count);
    at::Tensor part = out.narrow(0, begin, count), rows;
    workspace_.operations().gather_rows(own_, index, part);
    if (condition_ && condition_->same()) return norm_.with_same(*condition_->same(), part, part, workspace_);
    if (condition_) {
      rows = workspace_.take(Workspace::condition, count, condition_->columns());
      condition_->rows(index, rows);
    }
    norm_.with(rows, part, part, workspace_);
  });
}

}  // namespace tradewind::nn
