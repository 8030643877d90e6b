#include "worker/nn/point_wise.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "common/errors.h"
#include "worker/nn/chunks.h"
#include "worker/nn/move.h"

namespace tradewind::nn {
namespace {

std::int64_t rows_of_piece(std::int64_t rows, std::int64_t least_pieces) {
  const std::int64_t pieces = std::max<std::int64_t>(1, least_pieces);
  return std::max<std::int64_t>(1, (rows + pieces - 1) / pieces);
}

}  // namespace

PointWiseMapper::PointWiseMapper(const checkpoint::PointWiseMapperDescription& description,
                                 const MapperContext& context)
    : inputs_(description.inputs),
      rows_(context.sources.range(context.communicator.rank()).size()),
      layers_(description.layers, context.precision),
      chunk_limit_(rows_of_piece(context.sources.rows(), context.least_pieces)),
      chunk_(chunk_rows(std::max(layers_.widest(), inputs_), chunk_limit_)) {
  if (context.sources.rows() != context.destinations.rows()) {
    throw UserError("a point-wise mapper between " + std::to_string(context.sources.rows()) + " and " +
                        std::to_string(context.destinations.rows()) + " nodes",
                    "model." + context.place, "the checkpoint is damaged or of an unknown layout");
  }
}

void PointWiseMapper::move_to(at::Device device) {
  layers_.move_to(device);
  chunk_ = chunk_rows(std::max(layers_.widest(), inputs_), chunk_limit_, device);
}

void PointWiseMapper::fix_destinations(const at::Tensor&, Workspace&) {}

void PointWiseMapper::operator()(const RowSource& sources, const RowSource*, const SameRows* condition,
                                 const Sink& sink, dist::Communicator&, Workspace& workspace) const {
  if (condition) throw InternalFault("a point-wise mapper takes no condition");
  for_each_chunk(rows_, chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor x = workspace.take(Workspace::input, count, sources.columns());
    sources.range(begin, begin + count, x);
    at::Tensor result = workspace.take(Workspace::result, count, outputs());
    layers_(x, result, false, workspace);
    sink(begin, result);
  });
}

PointWiseProcessor::PointWiseProcessor(const checkpoint::PointWiseProcessorDescription& description,
                                       const ProcessorContext& context)
    : chunk_limit_(rows_of_piece(context.rows.range(context.communicator.rank()).size(), context.least_chunks)) {
  for (const auto& layer : description.layers) {
    layers_.emplace_back(layer, context.precision);
    widest_ = std::max(widest_, layers_.back().widest());
  }
  chunk_ = chunk_rows(widest_, chunk_limit_);
}

void PointWiseProcessor::move_to(at::Device device) {
  move_all(device, layers_);
  chunk_ = chunk_rows(widest_, chunk_limit_, device);
}

void PointWiseProcessor::operator()(at::Tensor x, const RowSource* condition, dist::Communicator&,
                                    Workspace& workspace) const {
  if (condition) throw InternalFault("a point-wise processor takes no condition");
  for_each_chunk(x.size(0), chunk_, workspace, [&](std::int64_t begin, std::int64_t count) {
    at::Tensor part = x.narrow(0, begin, count);
    for (const Sequential& layer : layers_) {
      const at::Tensor before = workspace.take(Workspace::input, part.size(0), part.size(1)).copy_(part);
      layer(before, part, false, workspace);
    }
  });
}

}  // namespace tradewind::nn
