#include "worker/nn/model.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/graph/edges.h"
#include "worker/nn/input_rows.h"
#include "worker/nn/mapper.h"
#include "worker/nn/move.h"
#include "worker/nn/output_rows.h"
#include "worker/nn/processor.h"
#include "worker/nn/target_rows.h"
#include "worker/preprocess/processors.h"

namespace tradewind::nn {
namespace {

// The encoder-processor-decoder model: data rows to hidden rows, hidden rows among themselves, hidden rows to data
// rows.
class EncoderProcessorDecoder : public Model {
 public:
  EncoderProcessorDecoder(const checkpoint::ModelDescription& model, const ModelOptions& options,
                          dist::Communicator& communicator)
      : input_steps_(model.input_steps),
        output_steps_(model.output_steps),
        input_variables_(model.input_variables),
        output_variables_(model.output_variables),
        latent_skip_(model.latent_skip),
        communicator_(communicator),
        data_(model.data.count, communicator.size()),
        hidden_(model.hidden.count, communicator.size()),
        processors_(model),
        attributes_(graph::node_attributes(model.data, rows())),
        encoder_(make_mapper(model.encoder, {options.precision, data_, hidden_, communicator, "encoder",
                                             options.mapper_chunks, workspace_})),
        processor_(make_processor(model.processor,
                                  {options.precision, hidden_, communicator, options.processor_chunks, workspace_})),
        decoder_(make_mapper(model.decoder, {options.precision, hidden_, data_, communicator, "decoder",
                                             options.mapper_chunks, workspace_})),
        targets_(model),
        finish_(model, processors_) {
    if (decoder_->outputs() != output_steps_ * output_variables_) {
      throw UserError("the decoder gives " + std::to_string(decoder_->outputs()) + " values a point, not " +
                          std::to_string(output_steps_) + " times " + std::to_string(output_variables_),
                      "model.decoder", "the checkpoint is damaged or of an unknown layout");
    }
    move_to(options.device);
    encoder_->fix_destinations(
        graph::node_attributes(model.hidden, hidden_.range(communicator.rank())).to(options.device), workspace_);
  }

  dist::RowRange rows() const override { return data_.range(communicator_.rank()); }
  bool keeps_nothing() const override { return true; }

  at::Device device() const override { return workspace_.device(); }

  at::Tensor predict(const at::Tensor& x) override {
    const c10::InferenceMode inference;
    const std::vector<std::int64_t> expected{input_steps_, rows().size(), input_variables_};
    if (x.sizes() != at::IntArrayRef(expected) || x.scalar_type() != at::kFloat || !x.is_contiguous()) {
      throw InternalFault("the model's input is not contiguous float32 of (input steps, rows, input variables)");
    }
    const InputRows input(x, attributes_, processors_);
    const at::Tensor latent = encode(input);
    return decode(process(latent), input, x);
  }

 private:
  // Built on the CPU, where the file's pages are, then moved as a whole.
  void move_to(at::Device device) {
    workspace_.move_to(device);
    move_all(device, processors_, attributes_, *encoder_, *processor_, *decoder_, targets_, finish_);
  }

  at::Tensor encode(const InputRows& input) {
    at::Tensor latent =
        at::empty({hidden_.range(communicator_.rank()).size(), encoder_->outputs()}, attributes_.options());
    (*encoder_)(
        input, nullptr,
        [&](std::int64_t first, const at::Tensor& chunk) { latent.narrow(0, first, chunk.size(0)).copy_(chunk); },
        communicator_, workspace_);
    return latent;
  }

  at::Tensor process(const at::Tensor& latent) {
    at::Tensor processed = latent_skip_ ? latent.clone() : latent;
    (*processor_)(processed, communicator_, workspace_);
    if (latent_skip_) processed.add_(latent);
    return processed;
  }

  at::Tensor decode(const at::Tensor& latent, const InputRows& input, const at::Tensor& x) {
    const TensorRows sources(latent);
    const std::unique_ptr<RowSource> encoded = encoder_->updated_sources(input, workspace_);
    const TargetRows targets(targets_, input, encoded.get());
    at::Tensor y = at::empty({output_steps_, rows().size(), output_variables_}, x.options());
    (*decoder_)(
        sources, &targets, [&](std::int64_t first, const at::Tensor& chunk) { finish_(chunk, first, x, y); },
        communicator_, workspace_);
    return y;
  }

  std::int64_t input_steps_, output_steps_, input_variables_, output_variables_;
  bool latent_skip_;
  dist::Communicator& communicator_;
  dist::Shards data_, hidden_;
  Workspace workspace_;
  preprocess::Processors processors_;
  at::Tensor attributes_;  // of this rank's data nodes
  std::unique_ptr<Mapper> encoder_;
  std::unique_ptr<Processor> processor_;
  std::unique_ptr<Mapper> decoder_;
  TargetColumns targets_;
  OutputRows finish_;
};

}  // namespace

std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator) {
  const c10::InferenceMode inference;
  return std::make_unique<EncoderProcessorDecoder>(description, options, communicator);
}

}  // namespace tradewind::nn
