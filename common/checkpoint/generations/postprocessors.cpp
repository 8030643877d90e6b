#include "common/checkpoint/generations/postprocessors.h"

#include <cmath>
#include <string>

#include "common/checkpoint/generations/boundings.h"
#include "common/checkpoint/generations/layers.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

struct Target {
  std::int64_t column;
  Node function;
};

std::vector<Target> targets_of(const Node& node, const ModelSizes& sizes) {
  const auto columns = optional_columns(node.at("index_inference_output"), sizes.output_variables);
  const auto functions = node.at("postprocessorfunctions").items();
  if (functions.size() < columns.size()) {
    throw UserError("a post-processor whose lists have different lengths", node.path(),
                    "the checkpoint is damaged; export it again");
  }
  std::vector<Target> out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i]) out.push_back({*columns[i], functions[i]});
  }
  return out;
}

}  // namespace

PreprocessorDescription read_output_limits(const Node& node, const Scope&, const ModelSizes& sizes) {
  OutputLimitsDescription out;
  for (const Target& target : targets_of(node, sizes)) out.limits.push_back(read_limit(target.function, target.column));
  return out;
}

PreprocessorDescription read_conditional_fill(const Node& node, const Scope&, const ModelSizes& sizes) {
  ConditionalFillDescription out;
  out.where_missing = node.class_name().ends_with(".ConditionalNaNPostprocessor");
  const Node condition = node.at("masking_variable_inference_output");
  const auto column = optional_column(condition, sizes.output_variables);
  if (!column) throw UserError("the variable of the condition is not in the model's output", condition.path());
  out.condition = *column;
  for (const Target& target : targets_of(node, sizes)) {
    const double value = target.function.as_double();
    out.columns.push_back(target.column);
    out.values.push_back(std::isnan(value) ? std::nullopt : std::optional(value));
  }
  return out;
}

}  // namespace tradewind::checkpoint
