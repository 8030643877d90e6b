#include "common/checkpoint/generations/variables.h"

#include <string>
#include <vector>

#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

std::vector<float> gathered(const std::vector<double>& values, const Node& columns, std::int64_t expected) {
  const auto index = columns_of(columns, static_cast<std::int64_t>(values.size()));
  if (static_cast<std::int64_t>(index.size()) != expected) {
    throw UserError(std::to_string(index.size()) + " columns where the model has " + std::to_string(expected),
                    columns.path());
  }
  std::vector<float> out;
  out.reserve(index.size());
  for (const std::int64_t column : index) out.push_back(static_cast<float>(values[static_cast<std::size_t>(column)]));
  return out;
}

}  // namespace

ResidualDescription read_skip_residual(const Node& node, const ModelSizes& sizes) {
  const Node step = node.at("step");
  const std::int64_t value = step.as_int();
  if (value < -sizes.input_steps || value >= sizes.input_steps) {
    throw UserError("step " + std::to_string(value) + " of " + std::to_string(sizes.input_steps) + " input steps",
                    step.path());
  }
  return SkipResidualDescription{value < 0 ? value : value - sizes.input_steps};
}

// The statistics and the five methods are folded into two numbers per variable of the dataset, in its order.
PreprocessorDescription read_normalizer(const Node& node, const Scope&, const ModelSizes& sizes) {
  const TensorDescriptor& multiply_tensor = floating_tensor(node.at("_norm_mul"), {kAnySize});
  const std::vector<double> multiply = to_double(multiply_tensor);
  const std::vector<double> add = to_double(floating_tensor(node.at("_norm_add"), {multiply_tensor.shape[0]}));
  const Node input = node.at("_input_idx"), data_output = node.at("_output_idx");
  const auto model_output = node.find("_model_output_idx");  // differs when there are target variables
  const Node& output = model_output ? *model_output : data_output;
  NormalizerDescription out;
  out.input_multiply = gathered(multiply, input, sizes.input_variables);
  out.input_add = gathered(add, input, sizes.input_variables);
  out.output_multiply = gathered(multiply, output, sizes.output_variables);
  out.output_add = gathered(add, output, sizes.output_variables);
  for (std::size_t i = 0; i < out.output_multiply.size(); ++i) {
    if (out.output_multiply[i] == 0) {
      throw UserError("output variable " + std::to_string(i) + " is normalised by 0", node.at("_norm_mul").path());
    }
  }
  return out;
}

}  // namespace tradewind::checkpoint
