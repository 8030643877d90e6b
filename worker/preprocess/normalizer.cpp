#include "worker/preprocess/normalizer.h"

#include <algorithm>
#include <string>

#include "common/errors.h"

namespace tradewind::preprocess {
namespace {

void check(const std::vector<float>& values, std::int64_t expected, const char* side) {
  if (static_cast<std::int64_t>(values.size()) != expected) {
    throw UserError("the normaliser has " + std::to_string(values.size()) + " values for " + std::to_string(expected) +
                        " variables of the model's " + side,
                    "pre_processors.normalizer", "the checkpoint is damaged or of an unknown layout");
  }
}

}  // namespace

Processors::Processors(const checkpoint::ModelDescription& model)
    : inputs_(model.input_variables),
      outputs_(model.output_variables),
      forward_(model.preprocessors),
      inverse_(model.postprocessors) {
  for (const auto& step : forward_) {
    const auto& normalizer = std::get<checkpoint::NormalizerDescription>(step);
    check(normalizer.input_multiply, inputs_, "input");
    check(normalizer.input_add, inputs_, "input");
  }
  for (const auto& step : inverse_) {
    const auto& normalizer = std::get<checkpoint::NormalizerDescription>(step);
    check(normalizer.output_multiply, outputs_, "output");
    check(normalizer.output_add, outputs_, "output");
  }
}

void Processors::forward(const float* x, float* out) const {
  if (forward_.empty()) std::copy(x, x + inputs_, out);
  for (const auto& step : forward_) {
    const auto& normalizer = std::get<checkpoint::NormalizerDescription>(step);
    for (std::size_t i = 0; i < normalizer.input_add.size(); ++i) {
      out[i] = x[i] * normalizer.input_multiply[i] + normalizer.input_add[i];
    }
    x = out;
  }
}

void Processors::inverse(float* y) const {
  for (const auto& step : inverse_) {
    const auto& normalizer = std::get<checkpoint::NormalizerDescription>(step);
    for (std::size_t i = 0; i < normalizer.output_add.size(); ++i) {
      y[i] = (y[i] - normalizer.output_add[i]) / normalizer.output_multiply[i];
    }
  }
}

}  // namespace tradewind::preprocess
