// A layer norm that a condition c of each row may scale and shift: norm(x) * (scale(c) + 1) + shift(c), float32.
// Immutable; thread-safe as long as the workspace is not shared.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/nn/layer_norm.h"
#include "worker/nn/linear.h"
#include "worker/nn/row_source.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class ConditionalNorm {
 public:
  ConditionalNorm(const checkpoint::NormDescription& description, Precision precision);
  void move_to(at::Device device);
  // x, out (n, size) contiguous, own rows from `first` on, out may be x. condition: of own rows; null for a norm that
  // has none.
  void operator()(const at::Tensor& x, std::int64_t first, const RowSource* condition, at::Tensor out,
                  Workspace& workspace) const;
  // The same where the rows' condition (n, k) is at hand; undefined for a norm that has none.
  void with(const at::Tensor& condition, const at::Tensor& x, at::Tensor out, Workspace& workspace) const;
  // The same where it is one for all rows, (1, k).
  void with_same(const at::Tensor& condition, const at::Tensor& x, at::Tensor out, Workspace& workspace) const;
  bool conditional() const { return scale_.has_value(); }

 private:
  LayerNorm norm_;
  std::optional<Linear> scale_, shift_;
};

// Own rows after the norm, made when they are read: what other ranks are sent, since the condition of a row is known
// where the row is. Refers to all it is given.
class NormalizedRows : public RowSource {
 public:
  NormalizedRows(at::Tensor own, const ConditionalNorm& norm, const RowSource* condition, Workspace& workspace)
      : own_(std::move(own)), norm_(norm), condition_(condition), workspace_(workspace) {}
  std::int64_t columns() const override { return own_.size(1); }
  void rows(const at::Tensor& which, at::Tensor out) const override;
  void range(std::int64_t begin, std::int64_t end, at::Tensor out) const override;

 private:
  at::Tensor own_;
  const ConditionalNorm& norm_;
  const RowSource* condition_;
  Workspace& workspace_;
};

}  // namespace tradewind::nn
