// Readers of the processors that change the model's output alone. anemoi-models 0.9 to 0.19.
#pragma once

#include "common/checkpoint/generations/families.h"

namespace tradewind::checkpoint {

// Postprocessor and NormalizedReluPostprocessor: a function per variable.
PreprocessorDescription read_output_limits(const Node& node, const Scope& scope, const ModelSizes& sizes);
// ConditionalZeroPostprocessor and ConditionalNaNPostprocessor: a value where another variable is zero, or missing.
PreprocessorDescription read_conditional_fill(const Node& node, const Scope& scope, const ModelSizes& sizes);

}  // namespace tradewind::checkpoint
