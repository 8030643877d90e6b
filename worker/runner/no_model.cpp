#include "worker/runner/no_model.h"

#include <ATen/ATen.h>

namespace tradewind::runner {
namespace {

class NoModel : public nn::Model {
 public:
  NoModel(const checkpoint::ModelDescription& description, dist::RowRange rows)
      : steps_(description.output_steps), variables_(description.output_variables), rows_(rows) {}
  dist::RowRange rows() const override { return rows_; }
  bool keeps_nothing() const override { return true; }
  at::Tensor predict(const at::Tensor&) override { return at::ones({steps_, rows_.size(), variables_}, at::kFloat); }

 private:
  std::int64_t steps_, variables_;
  dist::RowRange rows_;
};

}  // namespace

std::unique_ptr<nn::Model> make_no_model(const checkpoint::ModelDescription& description,
                                         const dist::Communicator& communicator) {
  const dist::Shards shards(description.data.count, communicator.size());
  return std::make_unique<NoModel>(description, shards.range(communicator.rank()));
}

}  // namespace tradewind::runner
