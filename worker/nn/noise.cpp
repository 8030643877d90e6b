#include "worker/nn/noise.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/move.h"

namespace tradewind::nn {

Noise::Noise(const checkpoint::NoiseDescription& description, Precision precision, dist::RowRange own)
    : rows_(description.rows),
      channels_(description.channels),
      own_(own),
      deviation_(description.deviation),
      mlp_(description.mlp, precision) {
  if (description.projection) projection_.emplace(*description.projection, own);
  if (description.injection) injection_.emplace(*description.injection, precision);
}

void Noise::move_to(at::Device device) { move_all(device, projection_, mlp_, injection_); }

at::Tensor Noise::drawn(const StepContext& context) const {
  if (context.noise.defined()) {
    if (context.noise.dim() == 2 && context.noise.size(0) == rows_ && context.noise.size(1) == channels_) {
      return context.noise.to(at::kFloat);
    }
    throw UserError("noise of another shape", "noise",
                    "the model takes " + std::to_string(channels_) + " channels on " + std::to_string(rows_) + " rows");
  }
  if (!context.random.defined()) throw InternalFault("a model that draws random numbers is given none");
  return at::randn({rows_, channels_}, context.random, at::kFloat);
}

at::Tensor Noise::operator()(const StepContext& context, dist::Communicator& communicator, Workspace& workspace) const {
  at::Tensor raw = drawn(context);
  if (!projection_) raw = raw.slice(0, own_.begin, own_.end);
  raw = raw.mul(deviation_).to(workspace.device());
  if (projection_) raw = (*projection_)(raw, communicator, workspace.operations());
  at::Tensor noise = at::empty_like(raw);
  for_each_chunk(own_.size(), chunk_rows(std::max(mlp_.widest(), channels_), own_.size(), workspace.device()),
                 workspace, [&](std::int64_t begin, std::int64_t count) {
                   mlp_(raw.narrow(0, begin, count), noise.narrow(0, begin, count), false, workspace);
                 });
  return noise;
}

void Noise::inject(const at::Tensor& noise, at::Tensor x, Workspace& workspace) const {
  const std::int64_t width = x.size(1) + channels_;
  for_each_chunk(x.size(0), chunk_rows(width, x.size(0), workspace.device()), workspace,
                 [&](std::int64_t begin, std::int64_t count) {
                   at::Tensor part = x.narrow(0, begin, count);
                   at::Tensor both = workspace.take(Workspace::input, count, width);
                   both.narrow(1, 0, x.size(1)).copy_(part);
                   both.narrow(1, x.size(1), channels_).copy_(noise.narrow(0, begin, count));
                   (*injection_)(both, part, workspace);
                 });
}

}  // namespace tradewind::nn
