// A base runner from a shared library: the forecast is the latest analysis, kept (persistence) or, with `trend: true`,
// carried on by the change between the last two inputs. Diagnostic variables are 0. A yardstick for a trained model.
#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/runner/base_runner.h"

namespace {

using namespace tradewind;

class PersistenceModel : public nn::Model {
 public:
  PersistenceModel(const checkpoint::DatasetDescription& dataset, dist::RowRange rows, bool trend)
      : dataset_(dataset), rows_(rows), trend_(trend) {}
  dist::RowRange rows(std::size_t) const override { return rows_; }
  bool keeps_nothing() const override { return true; }

  std::vector<at::Tensor> predict(const std::vector<at::Tensor>& inputs, const nn::StepContext&) override {
    const at::Tensor& x = inputs.front();
    const std::int64_t latest = x.size(0) - 1;
    at::Tensor y = at::zeros({dataset_.output_steps, rows_.size(), dataset_.output_variables}, at::kFloat);
    for (std::int64_t step = 0; step < dataset_.output_steps; ++step) {
      for (std::size_t i = 0; i < dataset_.prognostic_input.size(); ++i) {
        const std::int64_t column = dataset_.prognostic_input[i];
        at::Tensor value = x.select(0, latest).select(1, column);
        if (trend_) value = value + (value - x.select(0, latest - 1).select(1, column)) * (step + 1);
        y.select(0, step).select(1, dataset_.prognostic_output[i]).copy_(value);
      }
    }
    return {y};
  }

 private:
  const checkpoint::DatasetDescription& dataset_;
  dist::RowRange rows_;
  bool trend_;
};

class Persistence : public runner::BaseRunner {
 public:
  explicit Persistence(bool trend) : trend_(trend) {}
  std::unique_ptr<nn::Model> make_model(const checkpoint::ModelDescription& description, const nn::ModelOptions&,
                                        dist::Communicator& communicator) override {
    const checkpoint::DatasetDescription& dataset = checkpoint::only_dataset(description);
    if (trend_ && dataset.input_steps < 2) throw UserError("trend needs two input steps", "runner.trend");
    const dist::Shards shards(dataset.nodes.count, communicator.size());
    return std::make_unique<PersistenceModel>(dataset, shards.range(communicator.rank()), trend_);
  }

 private:
  bool trend_;
};

}  // namespace

TRADEWIND_BASE_RUNNERS([](runner::BaseRunners& runners) {
  runners.add("persistence", {"trend"},
              [](const config::Json& options) { return std::make_unique<Persistence>(options.value("trend", false)); });
})
