#include "worker/nn/model.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/graph/edges.h"
#include "worker/nn/dataset_layers.h"
#include "worker/nn/noise.h"
#include "worker/nn/transport.h"
#include "worker/nn/trunk.h"

namespace tradewind::nn {
namespace {

// Rows of every dataset to hidden rows, hidden rows among themselves, hidden rows to rows of every dataset.
class EncodersTrunkDecoders : public Model {
 public:
  EncodersTrunkDecoders(const checkpoint::ModelDescription& model, const ModelOptions& options,
                        dist::Communicator& communicator)
      : latent_skip_(model.latent_skip),
        aggregation_(model.aggregation),
        latents_(model.latents),
        communicator_(communicator),
        operations_(options.operations) {
    if (!operations_ && !options.device.is_cpu()) throw InternalFault("a model on a device without its operations");
    for (const checkpoint::NodeDescription& level : model.levels)
      levels_.emplace_back(level.count, communicator.size());
    for (const checkpoint::DatasetDescription& dataset : model.datasets) {
      datasets_.emplace_back(
          dataset, DatasetContext{options.precision, levels_.front(), communicator, options.mapper_chunks, workspace_,
                                  model.datasets.size() == 1 ? std::string() : " " + dataset.name});
    }
    trunk_.emplace(model, TrunkContext{options.precision, levels_, communicator, options.mapper_chunks,
                                       options.processor_chunks, workspace_});
    if (model.noise) noise_.emplace(*model.noise, options.precision, own(0));
    if (model.transport) transport_.emplace(*model.transport, transport_fields(), options.sampling, options.precision);
    move_to(options.device);
    std::vector<at::Tensor> hidden;  // the nodes' own values of every level
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      hidden.push_back(graph::node_attributes(model.levels[i], own(i)).to(options.device));
    }
    for (std::size_t i = 0; i < datasets_.size(); ++i) {
      const auto& encoder = model.datasets[i].encoder;
      const bool own_values = encoder && encoder->hidden;
      datasets_[i].fix_hidden(
          own_values ? graph::node_attributes(*encoder->hidden, own(0)).to(options.device) : hidden.front(),
          workspace_);
    }
    trunk_->fix(hidden, workspace_);
  }

  dist::RowRange rows(std::size_t dataset) const override { return datasets_.at(dataset).rows(); }
  bool keeps_nothing() const override { return true; }  // its random numbers are the forecast's

  at::Device device() const override { return workspace_.device(); }

  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const StepContext& context) override {
    const c10::InferenceMode inference;
    if (x.size() != datasets_.size()) throw InternalFault("a model call without the input of every dataset");
    std::vector<InputRows> inputs;
    for (std::size_t i = 0; i < x.size(); ++i)
      inputs.push_back(datasets_[i].input(x[i], context.call, communicator_, workspace_));
    if (transport_) return sample(x, inputs, context);
    const at::Tensor latent = process(encode(inputs, nullptr), context, nullptr);
    std::vector<at::Tensor> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (datasets_[i].decodes()) y[i] = datasets_[i].decode(latent, inputs[i], x[i], communicator_, workspace_);
    }
    return y;
  }

 private:
  dist::RowRange own(std::size_t level) const { return levels_.at(level).range(communicator_.rank()); }

  // Built on the CPU, where the file's pages are, then moved as a whole.
  void move_to(at::Device device) {
    if (operations_) workspace_.move_to(device, *operations_);
    for (DatasetLayers& dataset : datasets_) dataset.move_to(device);
    if (noise_) noise_->move_to(device);
    if (transport_) transport_->move_to(device);
    trunk_->move_to(device);
  }

  std::vector<TransportField> transport_fields() const {
    std::vector<TransportField> fields;
    for (const DatasetLayers& dataset : datasets_)
      fields.push_back({dataset.output_steps(), dataset.all_rows(), dataset.output_variables(), dataset.rows()});
    return fields;
  }

  // Many calls of the network.
  std::vector<at::Tensor> sample(const std::vector<at::Tensor>& x, std::vector<InputRows>& inputs,
                                 const StepContext& context) {
    Fields latest;
    if (transport_->starts_from_input()) {
      for (std::size_t i = 0; i < x.size(); ++i) latest.push_back(datasets_[i].latest(x[i]));
    }
    int call = 0;
    const auto ask = [&](const Fields& y, const SameRows& condition) {
      communicator_.observer().entering("network call " + std::to_string(++call));
      for (std::size_t i = 0; i < y.size(); ++i) inputs[i].set_target(y[i]);
      const at::Tensor latent = process(encode(inputs, &condition), context, &condition);
      Fields answers;
      for (std::size_t i = 0; i < y.size(); ++i) {
        answers.push_back(datasets_[i].answer(latent, inputs[i], condition, communicator_, workspace_));
      }
      return answers;
    };
    const Fields sampled = (*transport_)(latest, context, ask, workspace_);
    std::vector<at::Tensor> y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      y.push_back(datasets_[i].finish(sampled[i], inputs[i], x[i], communicator_, workspace_));
    }
    return y;
  }

  // The latents of all encoders, come together: one after the other in their order, so that sums are the same always.
  // condition: of all rows, where there is one.
  at::Tensor encode(const std::vector<InputRows>& inputs, const SameRows* condition) {
    std::vector<at::Tensor> latents;
    const auto encode_one = [&](std::size_t i) {
      return datasets_[i].encode(inputs[i], own(0).size(), condition, communicator_, workspace_);
    };
    if (aggregation_ == checkpoint::LatentAggregation::concatenation) {
      for (const std::size_t i : latents_) latents.push_back(encode_one(i));
      return latents.size() == 1 ? latents.front() : at::cat(latents, 1);
    }
    at::Tensor sum = encode_one(latents_.front());
    for (std::size_t i = 1; i < latents_.size(); ++i) sum.add_(encode_one(latents_[i]));
    const bool mean = aggregation_ == checkpoint::LatentAggregation::mean && latents_.size() > 1;
    return mean ? sum.div_(static_cast<double>(latents_.size())) : sum;
  }

  // given: the condition of all rows, where there is one.
  at::Tensor process(const at::Tensor& latent, const StepContext& context, const SameRows* given) {
    at::Tensor processed = latent_skip_ ? latent.clone() : latent;
    const RowSource* condition = given;
    std::optional<TensorRows> noise_rows;
    if (noise_) {
      const at::Tensor noise = (*noise_)(context, communicator_, workspace_);
      if (noise_->injects()) {
        noise_->inject(noise, processed, workspace_);
      } else {
        condition = &noise_rows.emplace(noise, workspace_.operations());
      }
    }
    processed = (*trunk_)(processed, condition, communicator_, workspace_);
    if (latent_skip_) processed.add_(latent);
    return processed;
  }

  bool latent_skip_;
  checkpoint::LatentAggregation aggregation_;
  std::vector<std::size_t> latents_;  // datasets, in the order in which their latents come together
  dist::Communicator& communicator_;
  std::shared_ptr<const Operations> operations_;  // null: the CPU's
  std::vector<dist::Shards> levels_;
  Workspace workspace_;
  std::deque<DatasetLayers> datasets_;  // which stay where they are: their parts refer to each other
  std::optional<Noise> noise_;
  std::optional<Transport> transport_;
  std::optional<Trunk> trunk_;
};

}  // namespace

std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator) {
  const c10::InferenceMode inference;
  return std::make_unique<EncodersTrunkDecoders>(description, options, communicator);
}

}  // namespace tradewind::nn
