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
    const at::Tensor latent = process(encode(inputs), context);
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
    trunk_->move_to(device);
  }

  // The latents of all encoders, come together: one after the other in their order, so that sums are the same always.
  at::Tensor encode(const std::vector<InputRows>& inputs) {
    std::vector<at::Tensor> latents;
    const auto encode_one = [&](std::size_t i) {
      return datasets_[i].encode(inputs[i], own(0).size(), communicator_, workspace_);
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

  at::Tensor process(const at::Tensor& latent, const StepContext& context) {
    at::Tensor processed = latent_skip_ ? latent.clone() : latent;
    std::optional<TensorRows> condition;
    if (noise_) {
      const at::Tensor noise = (*noise_)(context, communicator_, workspace_);
      if (noise_->injects()) {
        noise_->inject(noise, processed, workspace_);
      } else {
        condition.emplace(noise, workspace_.operations());
      }
    }
    processed = (*trunk_)(processed, condition ? &*condition : nullptr, communicator_, workspace_);
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
  std::optional<Trunk> trunk_;
};

}  // namespace

std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator) {
  const c10::InferenceMode inference;
  return std::make_unique<EncodersTrunkDecoders>(description, options, communicator);
}

}  // namespace tradewind::nn
