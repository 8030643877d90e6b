#include "worker/runner/driven_model.h"

#include <utility>

namespace tradewind::runner {
namespace {

class DrivenModel : public nn::Model {
 public:
  DrivenModel(std::unique_ptr<nn::Model> model, BaseRunner& runner, std::vector<std::vector<std::string>> variables)
      : model_(std::move(model)), runner_(runner), variables_(std::move(variables)) {}
  dist::RowRange rows(std::size_t dataset) const override { return model_->rows(dataset); }
  at::Device device() const override { return model_->device(); }
  bool keeps_nothing() const override { return runner_.keeps_nothing(*model_); }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& x, const nn::StepContext& context) override {
    std::vector<at::Tensor> y = model_->predict(x, context);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (y[i].defined()) runner_.after_step(context, variables_.at(i), y[i]);
    }
    return y;
  }

 private:
  std::unique_ptr<nn::Model> model_;
  BaseRunner& runner_;
  std::vector<std::vector<std::string>> variables_;
};

}  // namespace

std::unique_ptr<nn::Model> make_driven_model(std::unique_ptr<nn::Model> model, BaseRunner& runner,
                                             std::vector<std::vector<std::string>> variables) {
  return std::make_unique<DrivenModel>(std::move(model), runner, std::move(variables));
}

}  // namespace tradewind::runner
