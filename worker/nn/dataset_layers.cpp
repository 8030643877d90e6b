#include "worker/nn/dataset_layers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "worker/graph/edges.h"
#include "worker/nn/chunks.h"
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
      finish_(dataset, preprocessing_),
      prognostic_input_(at::tensor(dataset.prognostic_input, at::kLong)),
      prognostic_output_(at::tensor(dataset.prognostic_output, at::kLong)) {
  if (dataset.tendency) tendency_.emplace(dataset, preprocessing_);
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
  move_all(device, preprocessing_, attributes_, layout_, targets_, truncated_, finish_, tendency_, prognostic_input_,
           prognostic_output_);
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

at::Tensor DatasetLayers::encode(const InputRows& input, std::int64_t hidden_rows, const SameRows* condition,
                                 dist::Communicator& communicator, Workspace& workspace) const {
  at::Tensor latent = at::empty({hidden_rows, encoder_->outputs()}, attributes_.options());
  (*encoder_)(
      input, nullptr, condition,
      [&](std::int64_t first, const at::Tensor& chunk) { latent.narrow(0, first, chunk.size(0)).copy_(chunk); },
      communicator, workspace);
  return latent;
}

void DatasetLayers::run_decoder(const at::Tensor& latent, const InputRows& input, const SameRows* condition,
                                const Mapper::Sink& sink, dist::Communicator& communicator,
                                Workspace& workspace) const {
  const TensorRows sources(latent, workspace.operations());
  const std::unique_ptr<RowSource> encoded = encoder_ ? encoder_->updated_sources(input, workspace) : nullptr;
  const TargetRows targets(*targets_, input, encoded.get());
  (*decoder_)(sources, &targets, condition, sink, communicator, workspace);
}

at::Tensor DatasetLayers::skip_of(const InputRows& input, const at::Tensor& x, dist::Communicator& communicator,
                                  const Workspace& workspace) const {
  if (input.skip().defined() || !truncated_) return input.skip();
  return (*truncated_)(x, preprocessing_, communicator, workspace.operations());
}

at::Tensor DatasetLayers::decode(const at::Tensor& latent, const InputRows& input, const at::Tensor& x,
                                 dist::Communicator& communicator, Workspace& workspace) const {
  const at::Tensor skip = skip_of(input, x, communicator, workspace);
  at::Tensor y = at::empty({output_steps_, rows_.size(), output_variables_}, x.options());
  const auto sink = [&](std::int64_t first, const at::Tensor& chunk) {
    finish_(chunk, first, x, skip, y, workspace.operations());
  };
  run_decoder(latent, input, nullptr, sink, communicator, workspace);
  return y;
}

at::Tensor DatasetLayers::answer(const at::Tensor& latent, const InputRows& input, const SameRows& condition,
                                 dist::Communicator& communicator, Workspace& workspace) const {
  at::Tensor out = at::empty({rows_.size(), decoder_->outputs()}, latent.options());
  const auto sink = [&](std::int64_t first, const at::Tensor& chunk) {
    out.narrow(0, first, chunk.size(0)).copy_(chunk);
  };
  run_decoder(latent, input, &condition, sink, communicator, workspace);
  return out;
}

at::Tensor DatasetLayers::finish(const at::Tensor& answer, const InputRows& input, const at::Tensor& x,
                                 dist::Communicator& communicator, Workspace& workspace) const {
  const at::Tensor skip = skip_of(input, x, communicator, workspace);
  at::Tensor y = at::empty({output_steps_, rows_.size(), output_variables_}, x.options());
  const std::int64_t chunk = chunk_rows(answer.size(1), std::max<std::int64_t>(1, rows_.size()), workspace.device());
  for_each_chunk(rows_.size(), chunk, workspace, [&](std::int64_t first, std::int64_t count) {
    const at::Tensor part = answer.narrow(0, first, count);
    if (tendency_) {
      (*tendency_)(part, first, x, skip, y);
    } else {
      finish_(part, first, x, skip, y, workspace.operations());
    }
  });
  return y;
}

at::Tensor DatasetLayers::latest(const at::Tensor& x) const {
  const at::Tensor masks = preprocessing_.masks(x.select(0, 0));
  at::Tensor state = x.select(0, input_steps_ - 1).clone();
  preprocessing_.forward(state, masks);
  at::Tensor out = at::empty({state.size(0), output_variables_}, state.options());
  return out.index_copy_(1, prognostic_output_, state.index_select(1, prognostic_input_));
}

}  // namespace tradewind::nn
