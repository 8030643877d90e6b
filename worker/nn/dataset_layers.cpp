#include "worker/nn/dataset_layers.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "common/errors.h"
#include "worker/graph/edges.h"
#include "worker/nn/move.h"

namespace tradewind::nn {

DatasetLayers::DatasetLayers(const checkpoint::DatasetDescription& dataset, const DatasetContext& context)
    : input_steps_(dataset.input_steps),
      output_steps_(dataset.output_steps),
      input_variables_(dataset.input_variables),
      output_variables_(dataset.output_variables),
      shards_(dataset.nodes.count, context.communicator.size()),
      rows_(shards_.range(context.communicator.rank())),
      preprocessing_(dataset),
      attributes_(graph::node_attributes(dataset.nodes, rows_)),
      layout_(dataset),
      finish_(dataset, preprocessing_) {
  if (dataset.encoder) {
    encoder_ =
        make_mapper(dataset.encoder->mapper, {context.precision, shards_, context.hidden, context.communicator,
                                              "encoder" + context.suffix, context.least_pieces, context.workspace});
  }
  if (const auto* truncated = std::get_if<checkpoint::TruncatedResidualDescription>(&dataset.residual)) {
    truncated_.emplace(*truncated, dataset, shards_, context.communicator, "truncation" + context.suffix);
  }
  if (!dataset.decoder) return;
  decoder_ =
      make_mapper(dataset.decoder->mapper, {context.precision, context.hidden, shards_, context.communicator,
                                            "decoder" + context.suffix, context.least_pieces, context.workspace});
  targets_.emplace(dataset.decoder->target_features, dataset);
  if (decoder_->outputs() != output_steps_ * output_variables_) {
    throw UserError("the decoder gives " + std::to_string(decoder_->outputs()) + " values a point, not " +
                        std::to_string(output_steps_) + " times " + std::to_string(output_variables_),
                    "model.decoder", "the checkpoint is damaged or of an unknown layout");
  }
}

void DatasetLayers::move_to(at::Device device) {
  move_all(device, preprocessing_, attributes_, layout_, targets_, truncated_, finish_);
  if (encoder_) encoder_->move_to(device);
  if (decoder_) decoder_->move_to(device);
}

void DatasetLayers::fix_hidden(const at::Tensor& attributes, Workspace& workspace) {
  if (encoder_) encoder_->fix_destinations(attributes, workspace);
}

InputRows DatasetLayers::input(const at::Tensor& x, int call, dist::Communicator& communicator,
                               const Workspace& workspace) const {
  const std::vector<std::int64_t> expected{input_steps_, rows_.size(), input_variables_};
  if (x.sizes() != at::IntArrayRef(expected) || x.scalar_type() != at::kFloat || !x.is_contiguous()) {
    throw InternalFault("the model's input is not contiguous float32 of (input steps, rows, input variables)");
  }
  at::Tensor skip;
  if (truncated_ && layout_.reads_residual()) {
    skip = (*truncated_)(x, preprocessing_, communicator, workspace.operations());
  }
  return {layout_, x, attributes_, preprocessing_, call == 0 ? 0.0 : 1.0, std::move(skip), workspace.operations()};
}

at::Tensor DatasetLayers::encode(const InputRows& input, std::int64_t hidden_rows, dist::Communicator& communicator,
                                 Workspace& workspace) const {
  at::Tensor latent = at::empty({hidden_rows, encoder_->outputs()}, attributes_.options());
  (*encoder_)(
      input, nullptr, nullptr,
      [&](std::int64_t first, const at::Tensor& chunk) { latent.narrow(0, first, chunk.size(0)).copy_(chunk); },
      communicator, workspace);
  return latent;
}

at::Tensor DatasetLayers::decode(const at::Tensor& latent, const InputRows& input, const at::Tensor& x,
                                 dist::Communicator& communicator, Workspace& workspace) const {
  const TensorRows sources(latent, workspace.operations());
  const std::unique_ptr<RowSource> encoded = encoder_ ? encoder_->updated_sources(input, workspace) : nullptr;
  const TargetRows targets(*targets_, input, encoded.get());
  at::Tensor skip = input.skip();
  if (truncated_ && !skip.defined()) skip = (*truncated_)(x, preprocessing_, communicator, workspace.operations());
  at::Tensor y = at::empty({output_steps_, rows_.size(), output_variables_}, x.options());
  (*decoder_)(
      sources, &targets, nullptr,
      [&](std::int64_t first, const at::Tensor& chunk) { finish_(chunk, first, x, skip, y, workspace.operations()); },
      communicator, workspace);
  return y;
}

}  // namespace tradewind::nn
