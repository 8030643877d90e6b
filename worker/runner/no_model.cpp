#include "worker/runner/no_model.h"

#include <ATen/ATen.h>

namespace tradewind::runner {
namespace {

class NoModel : public nn::Model {
 public:
  NoModel(const checkpoint::ModelDescription& description, int rank, int ranks) {
    for (const checkpoint::DatasetDescription& dataset : description.datasets) {
      results_.push_back(
          {dataset.output_steps, dist::Shards(dataset.nodes.count, ranks).range(rank), dataset.output_variables});
    }
  }
  dist::RowRange rows(std::size_t dataset) const override { return results_.at(dataset).rows; }
  bool keeps_nothing() const override { return true; }
  std::vector<at::Tensor> predict(const std::vector<at::Tensor>&, const nn::StepContext&) override {
    std::vector<at::Tensor> y;
    y.reserve(results_.size());
    for (const Result& one : results_) y.push_back(at::ones({one.steps, one.rows.size(), one.variables}, at::kFloat));
    return y;
  }

 private:
  struct Result {
    std::int64_t steps;
    dist::RowRange rows;
    std::int64_t variables;
  };
  std::vector<Result> results_;  // by dataset
};

}  // namespace

std::unique_ptr<nn::Model> make_no_model(const checkpoint::ModelDescription& description,
                                         const dist::Communicator& communicator) {
  return std::make_unique<NoModel>(description, communicator.rank(), communicator.size());
}

}  // namespace tradewind::runner
