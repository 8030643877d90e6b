// What a level, of noise or of time, is for the norms that it conditions; see LevelEmbeddingDescription. Immutable.
// Not thread-safe (workspace).
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/description.h"
#include "common/precision.h"
#include "worker/nn/sequential.h"
#include "worker/nn/workspace.h"

namespace tradewind::nn {

class LevelEmbedding {
 public:
  LevelEmbedding(const checkpoint::LevelEmbeddingDescription& description, Precision precision);
  void move_to(at::Device device);
  // level (1, 1) float32, of all rows; (1, channels).
  at::Tensor operator()(const at::Tensor& level, Workspace& workspace) const;

 private:
  at::Tensor frequencies_;
  bool turns_;
  Sequential mlp_;
};

}  // namespace tradewind::nn
