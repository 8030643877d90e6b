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
#include "worker/nn/processor.h"

namespace tradewind::nn {
namespace {

// Rows of every dataset to hidden rows, hidden rows among themselves, hidden rows to rows of every dataset.
class EncodersTrunkDecoders : public Model {
 public:
  EncodersTrunkDecoders(const checkpoint::ModelDescription& model, const ModelOptions& options,
                        dist::Communicator& communicator)
      : latent_skip_(model.latent_skip),
        mean_(model.aggregation == checkpoint::LatentAggregation::mean),
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
    for (const checkpoint::StageDescription& stage : model.trunk) {
      std::visit([&](const auto& each) { add_stage(each, options); }, stage);
    }
    if (model.noise) noise_.emplace(*model.noise, options.precision, own(0));
    move_to(options.device);
    const at::Tensor hidden = graph::node_attributes(model.levels.front(), own(0)).to(options.device);
    for (DatasetLayers& dataset : datasets_) dataset.fix_hidden(hidden, workspace_);
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
  struct Process {
    std::unique_ptr<Processor> processor;
  };

  dist::RowRange own(std::size_t level) const { return levels_.at(level).range(communicator_.rank()); }

  void add_stage(const checkpoint::ProcessStage& stage, const ModelOptions& options) {
    if (stage.level != 0) throw InternalFault("a stage of a level that no other leads to");
    trunk_.push_back({make_processor(stage.processor, {options.precision, levels_.at(stage.level), communicator_,
                                                       options.processor_chunks, workspace_})});
  }

  // Built on the CPU, where the file's pages are, then moved as a whole.
  void move_to(at::Device device) {
    if (operations_) workspace_.move_to(device, *operations_);
    for (DatasetLayers& dataset : datasets_) dataset.move_to(device);
    if (noise_) noise_->move_to(device);
    for (Process& stage : trunk_) stage.processor->move_to(device);
  }

  // The latents of all encoders, come together.
  at::Tensor encode(const std::vector<InputRows>& inputs) {
    at::Tensor sum;
    int encoders = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!datasets_[i].encodes()) continue;
      at::Tensor latent = datasets_[i].encode(inputs[i], own(0).size(), communicator_, workspace_);
      sum = sum.defined() ? sum.add_(latent) : latent;
      ++encoders;
    }
    return mean_ && encoders > 1 ? sum.div_(encoders) : sum;
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
    for (const Process& stage : trunk_) {
      (*stage.processor)(processed, condition ? &*condition : nullptr, communicator_, workspace_);
    }
    if (latent_skip_) processed.add_(latent);
    return processed;
  }

  bool latent_skip_, mean_;
  dist::Communicator& communicator_;
  std::shared_ptr<const Operations> operations_;  // null: the CPU's
  std::vector<dist::Shards> levels_;
  Workspace workspace_;
  std::deque<DatasetLayers> datasets_;  // which stay where they are: their parts refer to each other
  std::optional<Noise> noise_;
  std::vector<Process> trunk_;
};

}  // namespace

std::unique_ptr<Model> make_model(const checkpoint::ModelDescription& description, const ModelOptions& options,
                                  dist::Communicator& communicator) {
  const c10::InferenceMode inference;
  return std::make_unique<EncodersTrunkDecoders>(description, options, communicator);
}

}  // namespace tradewind::nn
