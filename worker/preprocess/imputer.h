// Replaces missing values of the model's input, and puts them back into its output. See ImputerDescription.
#pragma once

#include "common/checkpoint/description.h"
#include "worker/preprocess/step.h"

namespace tradewind::preprocess {

class Imputer : public Step {
 public:
  // UserError when it names a column that the model has not.
  Imputer(checkpoint::ImputerDescription description, std::int64_t inputs, std::int64_t outputs);
  void forward(at::Tensor& rows, const at::Tensor& masks) const override;
  void inverse(at::Tensor& rows, const at::Tensor& masks) const override;
  std::int64_t mask_count() const override { return static_cast<std::int64_t>(description_.columns.size()); }
  at::Tensor mask(const at::Tensor& first) const override;

 private:
  checkpoint::ImputerDescription description_;
};

}  // namespace tradewind::preprocess
