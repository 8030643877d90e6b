// A base runner from a shared library: the forecast is the latest analysis, kept (persistence) or, with `trend: true`,
// carried on by the change between the last two inputs. Diagnostic variables are 0. A yardstick for a trained model.
#include <ATen/ATen.h>

#include "common/errors.h"
#include "worker/runner/base_runner.h"

namespace {

using namespace tradewind;

class PersistenceModel : public nn::Model {
 public:
  PersistenceModel(const checkpoint::ModelDescription& description, dist::RowRange rows, bool trend)
      : description_(description), rows_(rows), trend_(trend) {}
  dist::RowRange rows() const override { return rows_; }
  bool keeps_nothing() const override { return true; }

  at::Tensor predict(const at::Tensor& x) override {
    const std::int64_t latest = x.size(0) - 1;
    at::Tensor y = at::zeros({description_.output_steps, rows_.size(), description_.output_variables}, at::kFloat);
    for (std::int64_t step = 0; step < description_.output_steps; ++step) {
      for (std::size_t i = 0; i < description_.prognostic_input.size(); ++i) {
        const std::int64_t column = description_.prognostic_input[i];
        at::Tensor value = x.select(0, latest).select(1, column);
        if (trend_) value = value + (value - x.select(0, latest - 1).select(1, column)) * (step + 1);
        y.select(0, step).select(1, description_.prognostic_output[i]).copy_(value);
      }
    }
    return y;
  }

 private:
  const checkpoint::ModelDescription& description_;
  dist::RowRange rows_;
  bool trend_;
};

class Persistence : public runner::BaseRunner {
 public:
  explicit Persistence(bool trend) : trend_(trend) {}
  std::unique_ptr<nn::Model> make_model(const checkpoint::ModelDescription& description, const nn::ModelOptions&,
                                        dist::Communicator& communicator) override {
    if (trend_ && description.input_steps < 2) throw UserError("trend needs two input steps", "runner.trend");
    const dist::Shards shards(description.data.count, communicator.size());
    return std::make_unique<PersistenceModel>(description, shards.range(communicator.rank()), trend_);
  }

 private:
  bool trend_;
};

}  // namespace

TRADEWIND_BASE_RUNNERS([](runner::BaseRunners& runners) {
  runners.add("persistence", {"trend"},
              [](const config::Json& options) { return std::make_unique<Persistence>(options.value("trend", false)); });
})
