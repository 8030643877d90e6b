// The random numbers of a model call; see NoiseDescription. Every rank draws those of all rows from the forecast's own
// generator, as the reference does, and keeps its own: the result does not depend on the number of ranks. Immutable.
// Not thread-safe (generator, workspace).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/dist/communicator.h"
#include "worker/dist/shards.h"
#include "worker/nn/linear.h"
#include "worker/nn/sequential.h"
#include "worker/nn/sparse_product.h"
#include "worker/nn/step_context.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class Noise {
 public:
  // own: this rank's rows of level 0.
  Noise(const checkpoint::NoiseDescription& description, Precision precision, dist::RowRange own);
  void move_to(at::Device device);
  // Of own rows (own rows, channels). UserError for given numbers of another shape.
  at::Tensor operator()(const StepContext& context, dist::Communicator& communicator, Workspace& workspace) const;
  // Whether it becomes part of the rows, else it is their condition.
  bool injects() const { return injection_.has_value(); }
  // x (own rows, k) = injection([x, noise])
  void inject(const at::Tensor& noise, at::Tensor x, Workspace& workspace) const;

 private:
  at::Tensor drawn(const StepContext& context) const;

  std::int64_t rows_, channels_;
  dist::RowRange own_;
  double deviation_;
  std::optional<SparseProduct> projection_;
  Sequential mlp_;
  std::optional<Linear> injection_;
};

}  // namespace tradewind::nn
