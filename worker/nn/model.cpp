#include "worker/nn/model.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/graph/edges.h"
#include "worker/nn/graph_transformer_mapper.h"
#include "worker/nn/input_rows.h"
#include "worker/nn/output_rows.h"
#include "worker/nn/transformer_processor.h"
#include "worker/preprocess/normalizer.h"

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
        encoder_(std::get<checkpoint::GraphTransformerMapperDescription>(model.encoder), options.precision, data_,
                 hidden_, communicator, "encoder", options.mapper_chunks, workspace_),
        processor_(std::get<checkpoint::TransformerProcessorDescription>(model.processor), options.precision, hidden_,
                   communicator, options.processor_chunks),
        decoder_(std::get<checkpoint::GraphTransformerMapperDescription>(model.decoder), options.precision, hidden_,
                 data_, communicator, "decoder", options.mapper_chunks, workspace_),
        finish_(model, processors_) {
    for (const checkpoint::TargetFeature feature : model.target_features) {
      if (feature != checkpoint::TargetFeature::encoded_data) {
        throw UserError("the decoder's target features other than the encoded data are not supported", "model.decoder");
      }
    }
    if (decoder_.outputs() != output_steps_ * output_variables_) {
      throw UserError("the decoder gives " + std::to_string(decoder_.outputs()) + " values a point, not " +
                          std::to_string(output_steps_) + " times " + std::to_string(output_variables_),
                      "model.decoder", "the checkpoint is damaged or of an unknown layout");
    }
    encoder_.fix_destinations(graph::node_attributes(model.hidden, hidden_.range(communicator.rank())), workspace_);
  }

  dist::RowRange rows() const override { return data_.range(communicator_.rank()); }

  at::Tensor predict(const at::Tensor& x) override {
    const c10::InferenceMode inference;
    const std::vector<std::int64_t> expected{input_steps_, rows().size(), input_variables_};
    if (x.sizes() != at::IntArrayRef(expected) || x.scalar_type() != at::kFloat || !x.is_contiguous()) {
      throw InternalFault("the model's input is not contiguous float32 of (input steps, rows, input variables)");
    }
    InputRows input(x, attributes_, processors_);
    input.set_halo(input_halo(input));
    const at::Tensor latent = encode(input);
    return decode(process(latent), input, x);
  }

 private:
  // The encoder's halo rows: each rank makes those that others need of it.
  at::Tensor input_halo(const InputRows& input) {
    const auto& plan = encoder_.halo();
    if (communicator_.size() == 1) return {};
    at::Tensor selected =
        at::empty({static_cast<std::int64_t>(plan.rows_to_send().size()), input.columns()}, at::kFloat);
    input.rows(plan.rows_to_send(), selected);
    return plan.exchange_selected(selected, communicator_, "encoder halo");
  }

  at::Tensor encode(const InputRows& input) {
    at::Tensor latent = at::empty({hidden_.range(communicator_.rank()).size(), encoder_.outputs()}, at::kFloat);
    encoder_(
        input, nullptr,
        [&](std::int64_t first, const at::Tensor& chunk) { latent.narrow(0, first, chunk.size(0)).copy_(chunk); },
        workspace_);
    return latent;
  }

  at::Tensor process(const at::Tensor& latent) {
    at::Tensor processed = latent_skip_ ? latent.clone() : latent;
    processor_(processed, communicator_, workspace_);
    if (latent_skip_) processed.add_(latent);
    return processed;
  }

  at::Tensor decode(const at::Tensor& latent, const InputRows& input, const at::Tensor& x) {
    const TensorRows sources(latent, decoder_.halo().exchange(latent, communicator_, "decoder halo"));
    at::Tensor y = at::empty({output_steps_, rows().size(), output_variables_}, at::kFloat);
    decoder_(
        sources, &input, [&](std::int64_t first, const at::Tensor& chunk) { finish_(chunk, first, x, y); }, workspace_);
    return y;
  }

  std::int64_t input_steps_, output_steps_, input_variables_, output_variables_;
  bool latent_skip_;
  dist::Communicator& communicator_;
  dist::Shards data_, hidden_;
  Workspace workspace_;
  preprocess::Processors processors_;
  at::Tensor attributes_;  // of this rank's data nodes
  GraphTransformerMapper encoder_;
  TransformerProcessor processor_;
  GraphTransformerMapper decoder_;
  OutputRows finish_;
};

}  // namespace

std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator) {
  const c10::InferenceMode inference;
  return std::make_unique<EncoderProcessorDecoder>(description, options, communicator);
}

}  // namespace tradewind::nn
