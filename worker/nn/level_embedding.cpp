#include "worker/nn/level_embedding.h"

#include <ATen/ATen.h>

#include "worker/nn/move.h"
#include "worker/weights/bind.h"

namespace tradewind::nn {

LevelEmbedding::LevelEmbedding(const checkpoint::LevelEmbeddingDescription& description, Precision precision)
    : frequencies_(weights::bind_float(description.frequencies).view({1, -1})),
      turns_(description.turns),
      mlp_(description.mlp, precision) {}

void LevelEmbedding::move_to(at::Device device) { move_all(device, frequencies_, mlp_); }

at::Tensor LevelEmbedding::operator()(const at::Tensor& level, Workspace& workspace) const {
  constexpr float pi = 3.14159274F;
  at::Tensor angles = level.mul(frequencies_);
  if (turns_) angles = angles.mul_(2).mul_(pi);
  const at::Tensor waves = at::cat({angles.sin(), angles.cos()}, 1);
  at::Tensor out = at::empty({1, mlp_.outputs(waves.size(1))}, waves.options());
  mlp_(waves, out, false, workspace);
  return out;
}

}  // namespace tradewind::nn
